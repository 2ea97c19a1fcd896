import { defined } from '@residency/defined';
import type { IntakeProgress, LogAhead, Undecided } from './ports/intake-log.ts';

export interface Oldest {
  /**
   * Append time of the first unsettled record, milliseconds. Absent: all are settled, or the time
   * is unknown.
   */
  readonly at?: number;
  /**
   * Readers see none of what is not settled, because of this transaction; then `at` is its first
   * record's.
   */
  readonly undecided?: Undecided;
  /** `next`. If only markers and aborted records follow it, the end: those are never settled. */
  readonly settledUpTo: bigint;
}

interface Seen {
  readonly next: bigint;
  readonly found: LogAhead;
}

/** Asks once for each first unsettled offset: an answer brings a batch of samples. */
export class OldestUnsettled {
  readonly #ahead: (partition: number, offset: bigint) => Promise<LogAhead>;
  readonly #seen = new Map<number, Seen>();

  constructor(ahead: (partition: number, offset: bigint) => Promise<LogAhead>) {
    this.#ahead = ahead;
  }

  /** `open`: the oldest open transaction of the partition, asked for after `progress`. */
  async of({ partition, start, end, next }: IntakeProgress, open?: Undecided): Promise<Oldest> {
    if (next >= end) {
      this.#seen.delete(partition);
      return { settledUpTo: next };
    }
    const { first, upTo } = await this.#aheadOf(partition, next, next < start ? start : next);
    if (first !== undefined) return { at: first.at, settledUpTo: next };
    if (upTo >= end && next >= start) return { settledUpTo: end };
    if (open === undefined || open.offset > upTo) return { settledUpTo: next };
    return {
      settledUpTo: next,
      undecided: open,
      ...defined({ at: open.since }),
    };
  }

  async #aheadOf(partition: number, next: bigint, from: bigint): Promise<LogAhead> {
    const seen = this.#seen.get(partition);
    const known = seen?.next === next ? seen.found : undefined;
    if (known?.first !== undefined && known.first.offset >= from) return known;
    // If nothing was found, it goes on from there.
    const found = await this.#ahead(
      partition,
      known !== undefined && known.first === undefined && known.upTo > from ? known.upTo : from,
    );
    this.#seen.set(partition, { next, found });
    return found;
  }
}
