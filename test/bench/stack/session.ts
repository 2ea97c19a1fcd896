import { readdirSync } from 'node:fs';
import {
  NOT_SCHEDULED,
  cpuSecondsWithEnded,
  residentBytes,
  scheduled,
  sessionIdOf,
} from './process-figures.ts';
import type { Scheduled } from './process-figures.ts';

/** All processes of a session: a command, what it started, and what that started. */
export class Session {
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  lives(): boolean {
    return this.#each(() => 1).length > 0;
  }

  /** Includes processes that have ended, once their parent has waited for them. */
  cpuSeconds(): number {
    return this.#each(cpuSecondsWithEnded).reduce((sum, seconds) => sum + seconds, 0);
  }

  /** Of what lives. */
  scheduled(): Scheduled {
    return this.#each(scheduled).reduce(
      (sum, { ran, waited }) => ({ ran: sum.ran + ran, waited: sum.waited + waited }),
      NOT_SCHEDULED,
    );
  }

  residentBytes(): number {
    return this.#each((pid) => residentBytes(pid, 'VmRSS')).reduce((sum, bytes) => sum + bytes, 0);
  }

  signal(signal: NodeJS.Signals): void {
    this.#each((pid) => process.kill(pid, signal));
  }

  /** Leaves out what ends meanwhile. */
  #each<T>(read: (pid: number) => T): readonly T[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          return sessionIdOf(Number(name)) === this.#id ? [read(Number(name))] : [];
        } catch {
          return [];
        }
      });
  }
}
