import { sha256OfParts } from '@residency/contracts';
import type { Difference } from '@residency/reconciliation';
import { VIOLATION_CODES } from '@residency/telemetry';

/** A known difference without the object's name: the object's writer chose the name. */
export interface KnownDifference {
  readonly code: string;
  /** Empty: the difference concerns no site. */
  readonly site: string;
  /**
   * `true`: every survey of the site's list finds it. `false`: only reading the object does, once a
   * pass.
   */
  readonly listed: boolean;
  /** The last run that found it. */
  readonly run: number;
}

/** Violations of one kind beyond the limit of named ones. They are only counted. */
export interface Beyond {
  readonly code: string;
  readonly site: string;
  readonly listed: boolean;
  /** The number in the last complete survey, or in the current one if that is higher. */
  readonly known: number;
  /** The number in the current survey. */
  readonly seen: number;
}

export interface SavedDifferences {
  readonly named: readonly (readonly [id: string, entry: KnownDifference])[];
  readonly beyond: readonly Beyond[];
}

export interface OpenViolations {
  readonly site: string;
  readonly code: string;
  readonly count: number;
}

/**
 * The most named violations, and the most named other differences: about 250 bytes each in memory,
 * 100 on disk.
 */
export const MOST_VIOLATIONS = 10_000;
export const MOST_OTHERS = 1_000;

/**
 * The known differences, so that each is reported once, across runs and restarts, until a survey no
 * longer finds it. Every run checks those that a site's list shows; a pass checks those in an
 * object's bytes. Violations beyond the limit are only counted: one more than the highest count is
 * new. Other differences beyond their limit are always new.
 */
export class KnownDifferences {
  readonly #named: Map<string, KnownDifference>;
  readonly #beyond: Map<string, { known: number; seen: number } & Omit<Beyond, 'known' | 'seen'>>;
  readonly #size = { violations: 0, others: 0 };
  readonly #open = new Map<
    string,
    { readonly site: string; readonly code: string; count: number }
  >();

  constructor({ named, beyond }: SavedDifferences) {
    this.#named = new Map(named);
    this.#beyond = new Map(beyond.map((one) => [keyOf(one), { ...one }]));
    for (const entry of this.#named.values()) this.#add(entry, 1);
    for (const one of this.#beyond.values()) this.#count(one, one.known);
  }

  /** Returns `true` if the difference is new. `surveyed`: the run's survey was complete before. */
  found(difference: Difference, run: number, surveyed: boolean): boolean {
    const { code, site = '' } = difference;
    // A faulty object in flight is read again with its event, once it has one. It must not count as
    // another difference then.
    const entry = { code, site, listed: !surveyed && code !== 'CONTEXT_DIFFERS', run };
    const id = idOf(difference);
    const kind = kindOf(code);
    const known = this.#named.has(id);
    if (!known && this.#size[kind] >= (kind === 'violations' ? MOST_VIOLATIONS : MOST_OTHERS))
      return kind === 'others' || this.#isOneMore(entry);
    this.#named.set(id, entry);
    if (known) return false;
    this.#add(entry, 1);
    return !this.#wasCounted(entry);
  }

  /** A survey of all lists begins. */
  beginsSurvey(): void {
    this.#forgetSeen(({ listed }) => listed);
  }

  /** A pass over the site's objects begins. */
  begins(site: string): void {
    this.#forgetSeen((one) => !one.listed && one.site === site);
  }

  /**
   * This run surveyed the lists of these sites, and everything that concerns no site. Removes and
   * returns the differences that it did not find.
   */
  surveyed(sites: ReadonlySet<string>, run: number): readonly KnownDifference[] {
    return this.#close(
      (entry) => entry.listed && (entry.site === '' || sites.has(entry.site)),
      run,
    );
  }

  /**
   * All objects of the site were read since that run began. Removes and returns the differences
   * that were not found again.
   */
  passed(site: string, since: number): readonly KnownDifference[] {
    return this.#close((entry) => !entry.listed && entry.site === site, since);
  }

  /** Removes and returns the differences of sites that no longer exist. */
  forget(isThere: (site: string) => boolean): readonly KnownDifference[] {
    return this.#close(({ site }) => site !== '' && !isThere(site), Infinity);
  }

  open(): readonly OpenViolations[] {
    return [...this.#open.values()];
  }

  save(): SavedDifferences {
    return {
      named: [...this.#named],
      beyond: [...this.#beyond.values()].filter(({ known, seen }) => known + seen > 0),
    };
  }

  #add(entry: KnownDifference, more: 1 | -1): void {
    this.#size[kindOf(entry.code)] += more;
    this.#count(entry, more);
  }

  /** Adds to the number of open violations; `more` may be negative. */
  #count({ code, site }: Pick<KnownDifference, 'code' | 'site'>, more: number): void {
    if (!isViolation(code)) return;
    const key = `${code} ${site}`;
    const open = this.#open.get(key) ?? { site, code, count: 0 };
    open.count += more;
    if (open.count === 0) this.#open.delete(key);
    else this.#open.set(key, open);
  }

  #isOneMore({ code, site, listed }: KnownDifference): boolean {
    const key = keyOf({ code, site, listed });
    const beyond = this.#beyond.get(key) ?? { code, site, listed, known: 0, seen: 0 };
    this.#beyond.set(key, beyond);
    beyond.seen += 1;
    if (beyond.seen <= beyond.known) return false;
    beyond.known = beyond.seen;
    this.#count(beyond, 1);
    return true;
  }

  /** True if the entry was among those that were only counted, and a name is free now. */
  #wasCounted(entry: KnownDifference): boolean {
    const beyond = this.#beyond.get(keyOf(entry));
    if (beyond === undefined || beyond.known <= beyond.seen) return false;
    beyond.known -= 1;
    this.#count(beyond, -1);
    return true;
  }

  #forgetSeen(concerns: (beyond: Pick<Beyond, 'listed' | 'site'>) => boolean): void {
    for (const beyond of this.#beyond.values()) if (concerns(beyond)) beyond.seen = 0;
  }

  #close(
    concerns: (entry: Pick<KnownDifference, 'site' | 'listed'>) => boolean,
    since: number,
  ): readonly KnownDifference[] {
    const closed: KnownDifference[] = [];
    for (const [id, entry] of this.#named) {
      if (!concerns(entry) || entry.run >= since) continue;
      this.#named.delete(id);
      this.#add(entry, -1);
      closed.push(entry);
    }
    for (const beyond of this.#beyond.values()) {
      if (!concerns(beyond)) continue;
      const known = since === Infinity ? 0 : beyond.seen;
      this.#count(beyond, known - beyond.known);
      beyond.known = known;
      beyond.seen = 0;
    }
    return closed;
  }
}

export function isViolation(code: string): boolean {
  return VIOLATION_CODES.some((violation) => violation === code);
}

function kindOf(code: string): 'violations' | 'others' {
  return isViolation(code) ? 'violations' : 'others';
}

function keyOf({ code, site, listed }: Pick<Beyond, 'code' | 'site' | 'listed'>): string {
  return `${code} ${site} ${String(listed)}`;
}

function idOf({ code, site = '', key, position = '', submission = '' }: Difference): string {
  return (
    key === undefined
      ? sha256OfParts(code, site, position, submission)
      : sha256OfParts(code, site, key)
  ).slice(0, 32);
}
