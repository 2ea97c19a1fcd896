import { formatPosition, namedOwner } from '@residency/contracts';
import type { AuditEvent, NamedOwner } from '@residency/contracts';
import type { AdjudicationDifference } from './difference.ts';

interface Conflict {
  readonly position: string;
  readonly submission: string | undefined;
  readonly own: Judged;
  readonly owner: NamedOwner;
}

/** What an event of a record that was placed, or nearly, says of it. */
interface Judged {
  readonly region: string;
  readonly sampleSha256: string;
  readonly country: string;
}

interface Seen {
  readonly submission: string | undefined;
  readonly stored: boolean;
  /** `undefined`: the record was refused or quarantined before the identity was looked at. */
  readonly judged: Judged | undefined;
  /** The owner that it names itself. */
  readonly of: string | undefined;
}

/**
 * Compares each conflict with the events of the record that it names as the owner, and of those to
 * which that one leads. First `add` every event that is to be judged, then `see` every event of the
 * log. Memory: some hundred bytes for each conflict, and for each event of its submission.
 */
export class ConflictOwners {
  readonly #conflicts: Conflict[] = [];
  readonly #submissions = new Set<string | undefined>();
  readonly #named = new Set<string>();
  readonly #seen = new Map<string, Seen>();

  /** Whether there is nothing to compare. */
  get none(): boolean {
    return this.#conflicts.length === 0;
  }

  add(event: AuditEvent): void {
    const owner = event.outcome === 'quarantined' ? namedOwner(event) : undefined;
    const own = judgedIn(event);
    if (owner === undefined || own === undefined) return;
    const { submission } = event.data;
    this.#conflicts.push({ position: formatPosition(event.position), submission, own, owner });
    this.#submissions.add(submission);
    this.#named.add(owner.of);
  }

  see(event: AuditEvent): void {
    const position = formatPosition(event.position);
    const { submission } = event.data;
    if (!this.#submissions.has(submission) && !this.#named.has(position)) return;
    this.#seen.set(position, {
      submission,
      stored: event.outcome === 'stored',
      judged: judgedIn(event),
      of: namedOwner(event)?.of,
    });
  }

  /** `compared`: conflicts whose owner has an event among those seen. */
  judge(): { readonly compared: number; readonly differences: readonly AdjudicationDifference[] } {
    const differences = this.#conflicts
      .map((conflict) => this.#differenceOf(conflict))
      .filter((difference) => difference !== undefined);
    const compared = this.#conflicts.filter(({ owner }) => this.#seen.has(owner.of)).length;
    return { compared, differences };
  }

  #differenceOf(conflict: Conflict): AdjudicationDifference | undefined {
    const { position, submission, own, owner } = conflict;
    const found = `of ${owner.of}, which has ${sampleText(owner)}`;
    const differs = (expected: string): AdjudicationDifference => ({
      code: 'OWNER_DIFFERS',
      position,
      found,
      expected,
    });
    if (owner.of === position) return differs('another record');
    const event = this.#seen.get(owner.of);
    if (event !== undefined) {
      if (event.submission !== submission) return differs('a record of the same submission');
      if (event.judged === undefined) return differs('a record that was to be placed');
      if (event.judged.region !== own.region) return differs('a record of the same region');
      if (!isSame(event.judged, owner)) return differs(sampleText(event.judged));
    }
    const last = this.#storedBehind(owner.of) ?? owner;
    return isSame(last, own)
      ? { code: 'CONFLICT_WITH_EQUAL', position, found, expected: 'a duplicate' }
      : undefined;
  }

  /** The stored record to which the events lead. */
  #storedBehind(position: string): Judged | undefined {
    const seen = new Set<string>();
    for (let of: string | undefined = position; of !== undefined && !seen.has(of);) {
      seen.add(of);
      const event = this.#seen.get(of);
      if (event?.stored === true) return event.judged;
      of = event?.of;
    }
    return undefined;
  }
}

function judgedIn({ data }: AuditEvent): Judged | undefined {
  if (!('sampleSha256' in data && 'decision' in data)) return undefined;
  const { decision, sampleSha256, country } = data;
  return decision === undefined || sampleSha256 === undefined || country === undefined
    ? undefined
    : { region: decision.region, sampleSha256, country };
}

type Sample = Pick<NamedOwner, 'sampleSha256' | 'country'>;

function isSame(one: Sample, other: Sample): boolean {
  return one.sampleSha256 === other.sampleSha256 && one.country === other.country;
}

function sampleText({ sampleSha256, country }: Sample): string {
  return `${sampleSha256} of ${country}`;
}
