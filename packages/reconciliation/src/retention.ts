import {
  ERASURE_ORDERED,
  ErasureIndex,
  NAMED_IN_ORDER,
  controlEntry,
  erasable,
} from '@residency/contracts';
import type { Erasures, LogEntry, StoredEvent } from '@residency/contracts';
import type { Instant } from '@residency/residency';
import type { PolicyBook } from './policy-book.ts';

/** As `RESIDENCY_RETENTION`: whether erasures are ordered at once, or a person is told. */
export const RETENTION_MODES = ['auto', 'propose'] as const;
export type RetentionMode = (typeof RETENTION_MODES)[number];

/** Who orders without a person, on `residency.control`. */
const PRINCIPAL = 'retention';
const DAY_MS = 24 * 60 * 60 * 1_000;

export interface RetentionDeps {
  readonly mode: RetentionMode;
  readonly policies: Pick<PolicyBook, 'inForce'>;
  /**
   * No later than the clock that stamps the log: by a clock that is ahead, samples would be erased
   * too early.
   */
  readonly now: () => Promise<Instant>;
  /** The orders and holds of the control log up to now. */
  readonly erasures: () => Promise<Erasures>;
  readonly append: (entries: readonly LogEntry[]) => Promise<unknown>;
  /** A new id each time. */
  readonly act: () => string;
  /** A new salt each time: 16 random bytes in hex. */
  readonly salt: () => string;
}

/** The samples of a region that are stored for longer than the policy keeps them. */
export interface OverdueSamples {
  readonly region: string;
  readonly keepDays: number;
  /** Those that are not erased, not given up as lost, and not on hold. */
  readonly overdue: number;
  /** Of them, those whose erasure was ordered now. */
  readonly ordered: number;
  /** Of them, those whose erasure nobody ordered. */
  readonly unordered: number;
}

interface Term {
  readonly region: string;
  readonly keepDays: number;
  overdue: number;
  ordered: number;
  unordered: number;
  /** Positions by submission, for the next order. */
  readonly next: Set<string>;
}

/**
 * Finds the stored samples whose time is over (docs/decisions/0051), and orders their erasure while
 * the audit log is read, `NAMED_IN_ORDER` at a time. What is on hold is not ordered. May be repeated:
 * it reads what was ordered. Memory: what orders and holds name, and one order a region.
 */
export class Retention {
  readonly #deps: RetentionDeps;
  readonly #now: Instant;
  /** By region, those with a limit. */
  readonly #terms: ReadonlyMap<string, Term>;
  readonly #index: ErasureIndex;
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    deps: RetentionDeps,
    now: Instant,
    terms: ReadonlyMap<string, Term>,
    index: ErasureIndex,
  ) {
    this.#deps = deps;
    this.#now = now;
    this.#terms = terms;
    this.#index = index;
  }

  /** The policy version in force now counts. Throws the logs' errors. */
  static async begin(deps: RetentionDeps): Promise<Retention> {
    const now = await deps.now();
    const terms = new Map<string, Term>();
    for (const { id, keepDays } of deps.policies.inForce(now)?.document.regions ?? [])
      if (keepDays !== undefined)
        terms.set(id, {
          region: id,
          keepDays,
          overdue: 0,
          ordered: 0,
          unordered: 0,
          next: new Set(),
        });
    const index = new ErasureIndex(terms.size === 0 ? undefined : await deps.erasures());
    return new Retention(deps, now, terms, index);
  }

  /** For `ReconcileOptions.onStored`. Never rejects: after a failure nothing more is ordered. */
  async follow(event: StoredEvent, isGone: boolean): Promise<void> {
    const term = this.#terms.get(event.data.decision.region);
    if (term === undefined || isGone || event.at + term.keepDays * DAY_MS >= this.#now) return;
    const sample = erasable(event);
    if (this.#index.holdOf(sample) !== undefined) return;
    term.overdue += 1;
    if (this.#index.orderOf(sample) !== undefined) return;
    term.unordered += 1;
    if (this.#deps.mode === 'propose' || this.#failure !== undefined) return;
    term.next.add(sample.submission);
    if (term.next.size === NAMED_IN_ORDER) await this.#order(term);
  }

  /** Orders the rest. Throws the error that kept it from ordering; what was appended stays. */
  async end(): Promise<readonly OverdueSamples[]> {
    for (const term of this.#terms.values()) if (term.next.size > 0) await this.#order(term);
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.found;
  }

  /** So far. */
  get found(): readonly OverdueSamples[] {
    return [...this.#terms].map(([region, { keepDays, overdue, ordered, unordered }]) => ({
      region,
      keepDays,
      overdue,
      ordered,
      unordered,
    }));
  }

  async #order(term: Term): Promise<void> {
    if (this.#failure !== undefined) return;
    const { append, act, salt } = this.#deps;
    const submissions = [...term.next];
    term.next.clear();
    const data = {
      act: act(),
      region: term.region,
      reason: `kept for ${term.keepDays} days`,
      submissions,
    };
    const event = { type: ERASURE_ORDERED, data, principal: PRINCIPAL } as const;
    try {
      await append([controlEntry(event, act(), salt())]);
      term.ordered += submissions.length;
      term.unordered -= submissions.length;
    } catch (error) {
      this.#failure = { error };
    }
  }
}
