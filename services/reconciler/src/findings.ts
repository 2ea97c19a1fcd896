import { sha256OfParts } from '@residency/contracts';
import type { Difference } from '@residency/reconciliation';
import { VIOLATION_CODES } from '@residency/telemetry';

/** A difference that is known, without its name: whoever put a thing somewhere chose that. */
export interface Finding {
  readonly code: string;
  /** Empty where it concerns none. */
  readonly site: string;
  /** Each look over the site's list finds it anew; otherwise only reading the object does, once a pass. */
  readonly listed: boolean;
  /** The run that found it last. */
  readonly run: number;
}

/** More of one kind than are kept by name: counted. */
export interface Beyond {
  readonly code: string;
  readonly site: string;
  readonly listed: boolean;
  /** At the last whole look, or now if more. */
  readonly known: number;
  /** Of the look under way. */
  readonly seen: number;
}

export interface SavedFindings {
  readonly named: readonly (readonly [id: string, finding: Finding])[];
  readonly beyond: readonly Beyond[];
}

export interface OpenViolations {
  readonly site: string;
  readonly code: string;
  readonly count: number;
}

/** Of violations, and of all other differences: about 250 bytes each in memory, 100 on disk. */
export const MOST_VIOLATIONS = 10_000;
export const MOST_OTHERS = 1_000;

/**
 * Which differences are known, so that each is told once, also across runs and restarts, until a look no longer finds it. Those that a
 * site's list shows are looked for by every run, those in an object's bytes once a pass. Violations beyond the cap are known by their
 * number: one more than ever is new. Other differences beyond theirs are always new.
 */
export class Findings {
  readonly #named: Map<string, Finding>;
  readonly #beyond: Map<string, { known: number; seen: number } & Omit<Beyond, 'known' | 'seen'>>;
  readonly #size = { violations: 0, others: 0 };
  readonly #open = new Map<
    string,
    { readonly site: string; readonly code: string; count: number }
  >();

  constructor({ named, beyond }: SavedFindings) {
    this.#named = new Map(named);
    this.#beyond = new Map(beyond.map((one) => [keyOf(one), { ...one }]));
    for (const finding of this.#named.values()) this.#add(finding, 1);
    for (const one of this.#beyond.values()) this.#count(one, one.known);
  }

  /** `true`: it is new. `surveyed`: by then the lists were looked over. */
  found(difference: Difference, run: number, surveyed: boolean): boolean {
    const { code, site = '' } = difference;
    // An object in flight that is wrong is read again along with its event, once it has one: it is no other then.
    const finding = { code, site, listed: !surveyed && code !== 'CONTEXT_DIFFERS', run };
    const id = idOf(difference);
    const kind = kindOf(code);
    const known = this.#named.has(id);
    if (!known && this.#size[kind] >= (kind === 'violations' ? MOST_VIOLATIONS : MOST_OTHERS))
      return kind === 'others' || this.#isOneMore(finding);
    this.#named.set(id, finding);
    if (known) return false;
    this.#add(finding, 1);
    return !this.#wasCounted(finding);
  }

  /** The lists are looked over anew. */
  looksAnew(): void {
    this.#forgetSeen(({ listed }) => listed);
  }

  /** A pass over the site's objects begins. */
  begins(site: string): void {
    this.#forgetSeen((one) => !one.listed && one.site === site);
  }

  /** This run looked over the lists of these sites, and over what concerns none: what it did not find there is gone. Gives that. */
  surveyed(sites: ReadonlySet<string>, run: number): readonly Finding[] {
    return this.#close(
      (finding) => finding.listed && (finding.site === '' || sites.has(finding.site)),
      run,
    );
  }

  /** All objects of the site were read since that run began. */
  passed(site: string, since: number): readonly Finding[] {
    return this.#close((finding) => !finding.listed && finding.site === site, since);
  }

  /** Those of sites that there are no more. */
  forget(isThere: (site: string) => boolean): readonly Finding[] {
    return this.#close(({ site }) => site !== '' && !isThere(site), Infinity);
  }

  open(): readonly OpenViolations[] {
    return [...this.#open.values()];
  }

  save(): SavedFindings {
    return {
      named: [...this.#named],
      beyond: [...this.#beyond.values()].filter(({ known, seen }) => known + seen > 0),
    };
  }

  #add(finding: Finding, more: 1 | -1): void {
    this.#size[kindOf(finding.code)] += more;
    this.#count(finding, more);
  }

  /** So many more, or fewer, are open. */
  #count({ code, site }: Pick<Finding, 'code' | 'site'>, more: number): void {
    if (!isViolation(code)) return;
    const key = `${code} ${site}`;
    const open = this.#open.get(key) ?? { site, code, count: 0 };
    open.count += more;
    if (open.count === 0) this.#open.delete(key);
    else this.#open.set(key, open);
  }

  #isOneMore({ code, site, listed }: Finding): boolean {
    const key = keyOf({ code, site, listed });
    const beyond = this.#beyond.get(key) ?? { code, site, listed, known: 0, seen: 0 };
    this.#beyond.set(key, beyond);
    beyond.seen += 1;
    if (beyond.seen <= beyond.known) return false;
    beyond.known = beyond.seen;
    this.#count(beyond, 1);
    return true;
  }

  /** There is room for a name again: it is one of those that only their number told of. */
  #wasCounted(finding: Finding): boolean {
    const beyond = this.#beyond.get(keyOf(finding));
    if (beyond === undefined || beyond.known <= beyond.seen) return false;
    beyond.known -= 1;
    this.#count(beyond, -1);
    return true;
  }

  #forgetSeen(concerns: (beyond: Pick<Beyond, 'listed' | 'site'>) => boolean): void {
    for (const beyond of this.#beyond.values()) if (concerns(beyond)) beyond.seen = 0;
  }

  #close(
    concerns: (finding: Pick<Finding, 'site' | 'listed'>) => boolean,
    since: number,
  ): readonly Finding[] {
    const closed: Finding[] = [];
    for (const [id, finding] of this.#named) {
      if (!concerns(finding) || finding.run >= since) continue;
      this.#named.delete(id);
      this.#add(finding, -1);
      closed.push(finding);
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
