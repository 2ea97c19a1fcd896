import type { LogEntry } from '@residency/contracts';
import type { Appended } from './appending.ts';
import type { WallClock } from './clock.ts';
import type { AppendResult } from './operations.ts';
import { entryBytes, packEntries } from './wire.ts';
import type { WorkerClient } from './worker-client.ts';
import { unpackError } from './wire-error.ts';

interface Waiting {
  readonly entries: readonly LogEntry[];
  readonly bytes: number;
  readonly done: PromiseWithResolvers<readonly Appended[]>;
}

/**
 * Combines appends that arrive while another is being written into the next transaction, so that
 * they share one sync.
 */
export class GroupCommit {
  readonly #worker: WorkerClient;
  readonly #clock: WallClock;
  readonly #maxBytes: number;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /**
   * `maxBytes`: the limit of one transaction. The entries of one caller always stay together, even
   * if they are larger.
   */
  constructor(worker: WorkerClient, clock: WallClock, maxBytes: number) {
    this.#worker = worker;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** Durable once it resolves, all entries or none. */
  async append(entries: readonly LogEntry[]): Promise<readonly Appended[]> {
    const done = Promise.withResolvers<readonly Appended[]>();
    this.#waiting.push({
      entries,
      bytes: entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
      done,
    });
    this.#running ??= this.#run();
    return await done.promise;
  }

  /** Resolves when no append is in progress any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Lets other appends of this turn join the commit.
    await Promise.resolve();
    for (let group = this.#take(); group.length > 0; group = this.#take())
      await this.#commit(group);
    this.#running = undefined;
  }

  #take(): Waiting[] {
    const group: Waiting[] = [];
    let bytes = 0;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      bytes += next.bytes;
      if (group.length > 0 && bytes > this.#maxBytes) break;
      group.push(next);
      this.#waiting.shift();
    }
    return group;
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    try {
      const { packed, buffer } = packEntries(group.flatMap(({ entries }) => entries));
      let taken = 0;
      const groups = group.map(({ entries: { length } }) => packed.slice(taken, (taken += length)));
      const clock = this.#clock.read();
      const results = await this.#worker.call('append', [groups, clock], [buffer]);
      if (results.some((result) => 'appended' in result)) this.#clock.trust(clock);
      for (const [index, { done }] of group.entries()) answer(done, results[index]);
    } catch (error) {
      for (const { done } of group) done.reject(error);
    }
  }
}

function answer(done: Waiting['done'], result: AppendResult | undefined): void {
  if (result !== undefined && 'appended' in result) done.resolve(result.appended);
  else done.reject(unpackError(result?.error ?? { message: 'no answer' }));
}
