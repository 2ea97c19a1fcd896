import { TOPICS } from '@residency/contracts';
import type { Offsets } from '../reading/fetched.ts';
import { partitionMissing } from './intake-reads.ts';
import type { Bounds, IntakeReads } from './intake-reads.ts';
import { progressOf } from './progress.ts';
import type { Progress } from './progress.ts';

/** What one look tells of all partitions. */
interface Look {
  readonly committed: Offsets;
  readonly bounds: ReadonlyMap<number, Bounds>;
}

/** Where partitions stand, read from the cluster. Several that ask at once share one look that begins after all of them asked. */
export class ProgressReader {
  readonly #reads: IntakeReads;
  #next: Promise<Look> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(reads: IntakeReads) {
    this.#reads = reads;
  }

  /** After this partition was fenced, and `swept` where something undecided was found. Throws `PROGRESS_LOST` and `PROGRESS_DIFFERS`. */
  async read(partition: number, swept: boolean): Promise<Progress> {
    this.#next ??= this.#afterTheLast();
    const { committed, bounds } = await this.#next;
    const found = bounds.get(partition);
    if (found === undefined) throw partitionMissing(TOPICS.samples, partition);
    return progressOf({
      partition,
      swept,
      committed: committed.get(partition),
      audit: await this.#reads.auditTail(partition),
      ...found,
    });
  }

  async #afterTheLast(): Promise<Look> {
    const look = this.#last.then(async () => {
      this.#next = undefined;
      return {
        committed: await this.#reads.committed(),
        bounds: await this.#reads.bounds(TOPICS.samples),
      };
    });
    this.#last = look.catch(() => undefined);
    return await look;
  }
}
