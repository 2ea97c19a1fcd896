import type { Outcome } from '@residency/contracts';
import { CappedList } from './capped-list.ts';
import type { Difference, DifferenceCode } from './difference.ts';

/**
 * A stored event whose identity another event placed in another region. This is a note, not a
 * difference: each placement is lawful by itself.
 */
export interface AlsoIn {
  readonly submission: string;
  readonly position: string;
  readonly region: string;
}

/** `total` counts everything; `list` holds the first `maxListed`. */
export interface Listed<T> {
  readonly total: number;
  readonly list: readonly T[];
}

/** Copies of stored samples that sites of their region do not have yet, by the custody logs. */
export interface OwedCopies {
  readonly total: number;
  /** Only sites that owe one. */
  readonly bySite: Readonly<Record<string, number>>;
}

export interface ReconciliationReport {
  /** Sample objects listed, over all sites. */
  readonly objects: number;
  /** Audit events read. */
  readonly events: Readonly<Record<Outcome, number>>;
  /**
   * Stored events whose objects were checked in every site that must have or owes one, in this run
   * or before it.
   */
  readonly storedChecked: number;
  /** By the first reading of the events: no object is needed for it. */
  readonly owed: OwedCopies;
  /** Stored samples that a person gave up and that were not erased since. No object of them is missing. */
  readonly lost: number;
  /** Objects whose record is not settled yet. */
  readonly inFlight: number;
  /** Objects that opened to what their event names. */
  readonly opened: number;
  readonly alsoIn: Listed<AlsoIn>;
  readonly differences: Listed<Difference> & {
    readonly byCode: Readonly<Partial<Record<DifferenceCode, number>>>;
  };
}

/** A report in the making. */
export class ReportDraft {
  objects = 0;
  readonly events: Record<Outcome, number> = {
    stored: 0,
    duplicate: 0,
    refused: 0,
    quarantined: 0,
  };
  storedChecked = 0;
  lost = 0;
  inFlight = 0;
  opened = 0;
  readonly alsoIn: CappedList<AlsoIn>;
  readonly #owed = new Map<string, number>();
  readonly #differences: CappedList<Difference>;
  readonly #byCode: Partial<Record<DifferenceCode, number>> = {};
  readonly #onDifference: (difference: Difference) => void;

  constructor(maxListed: number, onDifference: (difference: Difference) => void) {
    this.alsoIn = new CappedList(maxListed);
    this.#differences = new CappedList(maxListed);
    this.#onDifference = onDifference;
  }

  add(difference: Difference): void {
    this.#differences.add(difference);
    this.#byCode[difference.code] = (this.#byCode[difference.code] ?? 0) + 1;
    this.#onDifference(difference);
  }

  /** A stored sample has no copy in the site yet. */
  owes(site: string): void {
    this.#owed.set(site, (this.#owed.get(site) ?? 0) + 1);
  }

  finish(): ReconciliationReport {
    const { objects, events, storedChecked, lost, inFlight, opened, alsoIn } = this;
    return {
      objects,
      events,
      storedChecked,
      owed: {
        total: [...this.#owed.values()].reduce((sum, copies) => sum + copies, 0),
        bySite: Object.fromEntries(this.#owed),
      },
      lost,
      inFlight,
      opened,
      alsoIn: { total: alsoIn.total, list: alsoIn.items },
      differences: {
        total: this.#differences.total,
        list: this.#differences.items,
        byCode: this.#byCode,
      },
    };
  }
}
