import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scheduled, Subject } from './process-figures.ts';
import { Session } from './session.ts';

/**
 * Runs the command in a session of its own, and lives on until its input closes: the CPU of what has
 * ended below it counts as its own until then.
 */
const KEEPER = 'sh -c "$1" </dev/null 3>&-; echo $? >&3; read -r end';

const KEPT_OUTPUT = 8_192;
const LOOK_MS = 200;
const PATIENCE_MS = 600_000;
const ENDS_WITHIN_MS = 5_000;

/** A command of the user's, with all processes below it. */
export class Peer implements Subject {
  readonly #command: string;
  readonly #folder: string;
  readonly #end: string;
  readonly #keeper: ChildProcess;
  readonly #session: Session;
  #exit: string | undefined;
  #output = '';
  #endedAt = 0;
  #peakBytes = 0;

  constructor(command: string, env: Readonly<Record<string, string>>) {
    this.#command = command;
    this.#folder = mkdtempSync(join(tmpdir(), 'residency-bench-peer-'));
    this.#end = join(this.#folder, 'end');
    this.#keeper = spawn('sh', ['-c', KEEPER, 'sh', command], {
      detached: true,
      env: { ...process.env, ...env, RESIDENCY_BENCH_END_FILE: this.#end },
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    this.#session = new Session(this.#keeper.pid ?? 0);
    const [, , stderr, status] = this.#keeper.stdio;
    stderr?.on('data', (bytes: Buffer) => {
      this.#output = (this.#output + bytes.toString()).slice(-KEPT_OUTPUT);
    });
    status?.on('data', (bytes: Buffer) => {
      this.#exit = bytes.toString().trim();
    });
    process.once('exit', this.#kill);
  }

  /** When its work was done, milliseconds. */
  get endedAt(): number {
    return this.#endedAt;
  }

  cpuSeconds(): number {
    return this.#session.cpuSeconds();
  }

  scheduled(): Scheduled {
    return this.#session.scheduled();
  }

  peakBytes(): number {
    return this.#peakBytes;
  }

  /** Resolves once the command made the file of the end, or ended with 0. */
  async done(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      this.#peakBytes = Math.max(this.#peakBytes, this.#session.residentBytes());
      const made = statSync(this.#end, { throwIfNoEntry: false });
      if (made !== undefined || this.#exit === '0') {
        this.#endedAt = made?.mtimeMs ?? Date.now();
        return;
      }
      if (this.#exit !== undefined || performance.now() > until)
        throw new Error(
          `Expected the peer to make RESIDENCY_BENCH_END_FILE or to end with 0 within ${PATIENCE_MS / 60_000} minutes, found ${this.#exit === undefined ? 'neither' : `exit code ${this.#exit}`}; run the command by itself (${this.#command}):\n${this.#output}`,
        );
      await sleep(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    this.#session.signal('SIGTERM');
    for (
      const until = performance.now() + ENDS_WITHIN_MS;
      this.#session.lives() && performance.now() < until;
    )
      await sleep(LOOK_MS);
    this.#kill();
    if (this.#keeper.exitCode === null && this.#keeper.signalCode === null)
      await once(this.#keeper, 'exit');
    process.off('exit', this.#kill);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  readonly #kill = (): void => {
    this.#session.signal('SIGKILL');
  };
}
