import { QUARANTINE_REASONS } from '@residency/contracts';
import type { Position, QuarantineReason } from '@residency/contracts';
import type { QuarantineNow } from '@residency/telemetry';
import { QuarantinedRecords } from './quarantined-records.ts';

type Place = Pick<Position, 'partition' | 'offset'>;

/** The first offset of a partition, and the one after its last. */
export interface Bounds {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Which quarantined records wait for a person: those with a `quarantined` event that no event names
 * as the one it was sent through again for, that nobody closed, and that the intake log still
 * holds. The answer does not depend on the order of the events.
 */
export class QuarantineBook {
  readonly #partitions: ReadonlyMap<
    number,
    { readonly floor: bigint; readonly records: QuarantinedRecords }
  >;
  #expired: number;

  /**
   * `starts`: the intake log's first offsets now; records before them are gone and are not
   * counted. `expired`: those of the book before.
   */
  constructor(starts: ReadonlyMap<number, bigint>, expired = 0) {
    this.#partitions = new Map(
      [...starts].map(([partition, floor]) => [
        partition,
        { floor, records: new QuarantinedRecords() },
      ]),
    );
    this.#expired = expired;
  }

  get expired(): number {
    return this.#expired;
  }

  /** `at`: its append time, milliseconds. */
  quarantined(place: Place, at: number, reason: QuarantineReason): void {
    this.#of(place)?.add(Number(place.offset), at, QUARANTINE_REASONS.indexOf(reason));
  }

  /** Whoever publishes may name any position; what is not in this log is nothing here. */
  sentAgain(place: Place): void {
    this.#of(place)?.sent(Number(place.offset));
  }

  /** A person said that nobody will send it through again. */
  closed(place: Place): void {
    this.#of(place)?.sent(Number(place.offset));
  }

  /**
   * Lets go of what the intake log no longer holds. Only once the audit log was read to an end that
   * was looked for before `bounds`: what was named and has no event by then never gets one.
   */
  keepWithin(bounds: ReadonlyMap<number, Bounds>): void {
    for (const [partition, { start, end }] of bounds)
      this.#expired +=
        this.#partitions.get(partition)?.records.keepWithin(Number(start), Number(end)) ?? 0;
  }

  summary(): QuarantineNow {
    const counts = QUARANTINE_REASONS.map(() => 0);
    let oldestAt = Infinity;
    for (const { records } of this.#partitions.values()) {
      records.forEach((at, reason) => {
        counts[reason] = (counts[reason] ?? 0) + 1;
        oldestAt = Math.min(oldestAt, at);
      });
    }
    const byReason = new Map(
      QUARANTINE_REASONS.map((reason, index) => [reason, counts[index] ?? 0]),
    );
    return { byReason, expired: this.#expired, ...(oldestAt === Infinity ? {} : { oldestAt }) };
  }

  #of({ partition, offset }: Place): QuarantinedRecords | undefined {
    const found = this.#partitions.get(partition);
    return found === undefined || offset < found.floor || offset > Number.MAX_SAFE_INTEGER
      ? undefined
      : found.records;
  }
}
