import { OUTCOMES } from '@residency/contracts';
import type { AuditEvent, Outcome } from '@residency/contracts';

/** How often each outcome, and what the stored samples have together. */
export type Tally = Readonly<Record<Outcome, number>> & {
  readonly events: number;
  /** Of the samples themselves, before they were sealed. */
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

/** Tallies under names; whoever wrote the log chose the names, so there are at most so many of them. */
export class Tallies {
  readonly #tallies = new Map<
    string,
    Record<Outcome, number> & { events: number; storedBytes: number }
  >();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Names beyond the most there may be are counted together under `OTHERS`. */
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
