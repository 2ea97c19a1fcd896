import { SAMPLE_ERASED, custodyEventIn, custodyTopic } from '@residency/contracts';
import type { DataDirectory } from './data-directory.ts';

const PORTION = 500;

/** The intake records of samples that a region's custody log says are erased. */
export class ErasedRecords {
  readonly #log: DataDirectory['log'];
  readonly #region: string;
  #next = 0n;

  constructor(log: DataDirectory['log'], region: string) {
    this.#log = log;
    this.#region = region;
  }

  /**
   * Deletes what was not deleted yet, so that the bytes are gone from the log's files. The first call
   * looks at the whole custody log: a process may have ended before it came to this. Throws `LOG_BUSY`
   * (retry).
   */
  async drop(): Promise<void> {
    let [portion, next]: [{ of: string; submission: string }[], bigint] = [[], this.#next];
    for await (const { offset, value } of this.#log.read(custodyTopic(this.#region), {
      from: next,
    })) {
      const event = custodyEventIn(value);
      if (event?.type === SAMPLE_ERASED) portion.push(event.data);
      next = offset + 1n;
      if (portion.length < PORTION) continue;
      await this.#log.dropErased(portion);
      [portion, this.#next] = [[], next];
    }
    if (portion.length > 0) await this.#log.dropErased(portion);
    this.#next = next;
  }
}
