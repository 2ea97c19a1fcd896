import type { Appended } from './appending.ts';
import type { AppendResult } from './operations.ts';
import { entryBytes, packEntries } from './wire.ts';
import type { AppendEntry } from './wire.ts';
import type { WorkerClient } from './worker-client.ts';
import { unpackError } from './wire-error.ts';

interface Waiting {
  readonly entries: readonly AppendEntry[];
  readonly bytes: number;
  readonly done: PromiseWithResolvers<readonly Appended[]>;
}

/** Appends that arrive while one is on its way to the disk go together in the next: one wait for the disk for all of them. */
export class GroupCommit {
  readonly #worker: WorkerClient;
  readonly #now: () => number;
  readonly #maxBytes: number;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** `maxBytes`: of one transaction; one caller's entries always go together, however large. */
  constructor(worker: WorkerClient, now: () => number, maxBytes: number) {
    this.#worker = worker;
    this.#now = now;
    this.#maxBytes = maxBytes;
  }

  /** Durable once it resolves, all entries or none. */
  async append(entries: readonly AppendEntry[]): Promise<readonly Appended[]> {
    const done = Promise.withResolvers<readonly Appended[]>();
    this.#waiting.push({
      entries,
      bytes: entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
      done,
    });
    this.#running ??= this.#run();
    return await done.promise;
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Lets whatever else arrives in this turn come along.
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
      const results = await this.#worker.call('append', [groups, this.#now()], [buffer]);
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
