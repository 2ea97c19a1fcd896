import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { GuardNews, GuardOrder } from './guard-messages.ts';

const KEPT_OUTPUT = 8192;

interface Life {
  pid: number | undefined;
  output: string;
  /** How it ended, once it has. */
  ended: string | undefined;
}

/**
 * The servers of one stack and their folder, behind a guard process that outlives this process just
 * long enough to remove both.
 */
export class Guarded {
  readonly folder: string;
  readonly #guard: ChildProcess;
  readonly #lives = new Map<string, Life>();
  readonly #watchers = new Set<() => void>();
  readonly #gone: Promise<void>;

  private constructor(guard: ChildProcess, folder: string) {
    this.#guard = guard;
    this.folder = folder;
    this.#gone = new Promise((resolve) => {
      guard.once('exit', () => {
        for (const life of this.#lives.values()) life.ended ??= 'its guard ended';
        this.#wake();
        resolve();
      });
    });
    guard.on('message', (news: GuardNews) => {
      this.#hear(news);
    });
    // A test that forgets to close its stack still ends: the guard notices.
    guard.unref();
    guard.channel?.unref();
  }

  static async open(): Promise<Guarded> {
    const guard = spawn(process.execPath, [join(import.meta.dirname, 'guard.ts')], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      detached: true,
    });
    return new Promise((resolve, reject) => {
      guard.once('error', reject);
      guard.once('exit', (code) => {
        reject(
          new Error(
            `Expected the guard to start, found exit code ${code}; run test/stack/guard.ts by hand.`,
          ),
        );
      });
      guard.once('message', (news: GuardNews) => {
        if (news.news === 'ready') resolve(new Guarded(guard, news.folder));
      });
    });
  }

  /** Begins to start; watch `ended` while waiting until it is ready. */
  start(server: string, command: string, args: readonly string[]): void {
    this.#lives.set(server, { pid: undefined, output: '', ended: undefined });
    this.#send({ order: 'start', server, command, args });
  }

  signal(server: string, signal: NodeJS.Signals): void {
    this.#send({ order: 'signal', server, signal });
  }

  pid(server: string): number | undefined {
    return this.#lives.get(server)?.pid;
  }

  /** How it ended; undefined while it runs. */
  ended(server: string): string | undefined {
    const life = this.#lives.get(server);
    return life === undefined ? 'never started' : life.ended;
  }

  /** The last lines it printed. */
  output(server: string): string {
    return this.#lives.get(server)?.output ?? '';
  }

  async untilEnded(server: string): Promise<string> {
    const alive = setInterval(() => {}, 1000);
    try {
      for (;;) {
        const how = this.ended(server);
        if (how !== undefined) return how;
        await new Promise<void>((resolve) => {
          this.#watchers.add(resolve);
        });
      }
    } finally {
      clearInterval(alive);
    }
  }

  /** Kills every server and removes the folder. */
  async close(): Promise<void> {
    this.#guard.ref();
    if (this.#guard.connected) this.#guard.disconnect();
    await this.#gone;
  }

  #send(order: GuardOrder): void {
    if (!this.#guard.connected)
      throw new Error('Expected an open stack, found a closed one; open another.');
    this.#guard.send(order);
  }

  #hear(news: GuardNews): void {
    if (news.news === 'ready') return;
    const life = this.#lives.get(news.server);
    if (life === undefined) return;
    if (news.news === 'started') life.pid = news.pid;
    else if (news.news === 'output') life.output = (life.output + news.text).slice(-KEPT_OUTPUT);
    else life.ended = news.how;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }
}
