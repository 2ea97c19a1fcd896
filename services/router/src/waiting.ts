import { codeOf, hasCode } from '@residency/coded-error';

/** The error that a partition waits for, and the record at which it waits. */
export interface WaitsFor {
  readonly error: unknown;
  readonly position?: string;
  readonly trace?: string;
}

interface Wait extends WaitsFor {
  readonly since: number;
}

/**
 * Waits of ordinary traffic, which are reported only if they last. Every record waits until the views
 * pass it, a second and a tick (DESIGN §3 "Time"); a duplicate waits until another partition's router
 * has placed its original in all sites (docs/decisions/0015).
 */
const ORDINARY = ['VIEW_BEHIND', 'OWNER_UNSETTLED'] as const;

/** Selects the wait of routing that operators see, over all partitions. */
export class Waiting {
  readonly #patienceMs: number;
  readonly #now: () => number;
  /** Waits by partition; `undefined`: of the process itself, for example during its start. */
  readonly #waits = new Map<number | undefined, Wait>();

  /** `now`: a monotonic clock, milliseconds. */
  constructor(patienceMs: number, now: () => number) {
    this.#patienceMs = patienceMs;
    this.#now = now;
  }

  /**
   * A partition, or the process, waits; `undefined`: it continues. `moved`: some of its records
   * were settled before.
   */
  on(partition: number | undefined, what: WaitsFor | undefined, moved = false): void {
    const before = this.#waits.get(partition);
    if (what === undefined) this.#waits.delete(partition);
    else if (!moved && before !== undefined && codeOf(before.error) === codeOf(what.error))
      this.#waits.set(partition, { ...what, since: before.since });
    else this.#waits.set(partition, { ...what, since: this.#now() });
  }

  /** All partitions were revoked, or start again. */
  forget(): void {
    this.#waits.clear();
  }

  /** The wait to report, if any: the longest one that qualifies. */
  get news(): WaitsFor | undefined {
    const news = [...this.#waits.values()].filter(
      ({ error, since }) =>
        !ORDINARY.some((code) => hasCode(error, code)) || this.#now() - since >= this.#patienceMs,
    );
    return news.toSorted((a, b) => a.since - b.since)[0];
  }
}
