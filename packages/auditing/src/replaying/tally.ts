import { OUTCOMES } from '@residency/contracts';
import type { AuditEvent, Outcome } from '@residency/contracts';

/** The number of events by outcome, and the bytes of the stored samples. */
export type Tally = Readonly<Record<Outcome, number>> & {
  readonly events: number;
  /** The bytes of the stored samples before sealing. */
  readonly storedBytes: number;
};

export const EMPTY_TALLY: Tally = {
  events: 0,
  stored: 0,
  duplicate: 0,
  refused: 0,
  quarantined: 0,
  storedBytes: 0,
};

export function storedBytesOf(event: AuditEvent): number {
  return event.outcome === 'stored' ? event.data.sampleBytes : 0;
}

export function addTallies(one: Tally, other: Tally): Tally {
  const sum = {
    ...one,
    events: one.events + other.events,
    storedBytes: one.storedBytes + other.storedBytes,
  };
  for (const outcome of OUTCOMES) sum[outcome] = one[outcome] + other[outcome];
  return sum;
}

/** Counts under names. The log's writers choose the names, so their number is bounded. */
export class Tallies {
  readonly #tallies = new Map<
    string,
    Record<Outcome, number> & { events: number; storedBytes: number }
  >();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Names beyond the limit are counted together under `OTHERS`. */
  add(name: string, event: AuditEvent): void {
    const key = this.#tallies.has(name) || this.#tallies.size < this.#most ? name : OTHERS;
    let tally = this.#tallies.get(key);
    if (tally === undefined) this.#tallies.set(key, (tally = { ...EMPTY_TALLY }));
    tally.events += 1;
    tally[event.outcome] += 1;
    tally.storedBytes += storedBytesOf(event);
  }

  /** By name, in the order of UTF-16 code units. */
  sorted(): readonly (readonly [name: string, tally: Tally])[] {
    return [...this.#tallies].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** No region, country or policy has this name. */
export const OTHERS = '(others)';
