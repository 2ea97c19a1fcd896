import type { IntakeProgress } from './intake-progress.ts';
import type { LogAhead } from './log-ahead.ts';

export interface Oldest {
  /** Append time of the first record that is there for readers and not settled, milliseconds; absent: none. */
  readonly at?: number;
  /** `next`; the end, where nothing but markers and aborted records stands in between, which nobody ever settles. */
  readonly settledUpTo: bigint;
}

interface Look {
  readonly next: bigint;
  readonly found: LogAhead;
}

/** Looks once for each first unsettled offset: a look brings a batch of samples. */
export class OldestUnsettled {
  readonly #ahead: (partition: number, offset: bigint) => Promise<LogAhead>;
  readonly #looks = new Map<number, Look>();

  constructor(ahead: (partition: number, offset: bigint) => Promise<LogAhead>) {
    this.#ahead = ahead;
  }

  async of({ partition, start, end, next }: IntakeProgress): Promise<Oldest> {
    if (next >= end) {
      this.#looks.delete(partition);
      return { settledUpTo: next };
    }
    const { first, upTo } = await this.#look(partition, next, next < start ? start : next);
    if (first !== undefined) return { at: first.at, settledUpTo: next };
    return { settledUpTo: upTo >= end && next >= start ? end : next };
  }

  async #look(partition: number, next: bigint, from: bigint): Promise<LogAhead> {
    const look = this.#looks.get(partition);
    const known = look?.next === next ? look.found : undefined;
    if (known?.first !== undefined && known.first.offset >= from) return known;
    // Where nothing was found the look goes on from where it ended.
    const found = await this.#ahead(
      partition,
      known !== undefined && known.first === undefined && known.upTo > from ? known.upTo : from,
    );
    this.#looks.set(partition, { next, found });
    return found;
  }
}
