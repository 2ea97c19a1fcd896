import { custodyEventIn } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { isWithin } from '../audit-record.ts';
import type { Period } from '../audit-record.ts';
import { EMPTY_DIGEST, ReplayDigest } from '../replaying/replay-digest.ts';

/**
 * The custody events whose records were appended in a period, and the summary of them for the
 * record of their export.
 */
export class CustodySelection {
  readonly #digest = new ReplayDigest();
  #events = 0;
  #undecodable = 0;

  /** A record of the period that is no event is counted, and not given out. */
  async *of(
    records: AsyncIterable<Pick<LogRecord, 'at' | 'value'>>,
    period: Period,
  ): AsyncGenerator<Buffer> {
    for await (const { at, value } of records) {
      if (!isWithin(at, period)) continue;
      if (value === null || custodyEventIn(value) === undefined) {
        this.#undecodable += 1;
        continue;
      }
      this.#digest.add(0, value);
      this.#events += 1;
      yield value;
    }
  }

  /** The summary of the events so far. The digest equals that of a replay, if it has all of them. */
  get summary(): {
    readonly events: number;
    readonly digest: string;
    readonly undecodable: number;
  } {
    return {
      events: this.#events,
      digest: this.#digest.partitions()[0]?.sha256 ?? EMPTY_DIGEST,
      undecodable: this.#undecodable,
    };
  }
}
