import { codeOf, hasCode } from '@residency/coded-error';

/** What a partition waits for, and at which record. */
export interface WaitsFor {
  readonly error: unknown;
  readonly position?: string;
  readonly trace?: string;
}

interface Wait extends WaitsFor {
  readonly since: number;
}

/**
 * What routing waits for, as an operator should hear of it, whichever partition it is. Every record waits for the views to
 * pass it, a second and a tick (DESIGN §3 "Time"): that is no news until it lasts.
 */
export class Waiting {
  readonly #patienceMs: number;
  readonly #now: () => number;
  /** By partition; `undefined`: the process itself, as while it starts. */
  readonly #waits = new Map<number | undefined, Wait>();

  /** `now`: any clock that never goes back, milliseconds. */
  constructor(patienceMs: number, now: () => number) {
    this.#patienceMs = patienceMs;
    this.#now = now;
  }

  /** A partition, or the process, waits for something; `undefined`: it goes on. `moved`: something of it was settled before. */
  on(partition: number | undefined, what: WaitsFor | undefined, moved = false): void {
    const before = this.#waits.get(partition);
    if (what === undefined) this.#waits.delete(partition);
    else if (!moved && before !== undefined && codeOf(before.error) === codeOf(what.error))
      this.#waits.set(partition, { ...what, since: before.since });
    else this.#waits.set(partition, { ...what, since: this.#now() });
  }

  /** These partitions are others' now, or begin anew. */
  forget(): void {
    this.#waits.clear();
  }

  /** What to report, if anything: the longest wait that is news. */
  get news(): WaitsFor | undefined {
    const news = [...this.#waits.values()].filter(
      ({ error, since }) =>
        !hasCode(error, 'VIEW_BEHIND') || this.#now() - since >= this.#patienceMs,
    );
    return news.toSorted((a, b) => a.since - b.since)[0];
  }
}
