import { randomUUID } from 'node:crypto';
import { policyEntry } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { parseInstant } from '@residency/residency';
import type { PolicyDocument } from '@residency/residency';
import type { KcatRow } from './kcat.ts';

/** The country that policy versions move from Moscow to Zurich and back. */
export const MOVED = 'BR';

/**
 * The next version, with `MOVED` in `region`. Its rules apply to all times, so the right region
 * follows from the version in force alone, and a record decided under a wrong version is in the
 * wrong region.
 */
export function moving(
  document: PolicyDocument,
  region: string,
  effectiveFrom: number,
): PolicyDocument {
  const version = document.version + 1;
  const rules = document.rules.flatMap((rule) => {
    if (rule.until !== undefined || !rule.countries.includes(MOVED)) return [rule];
    const others = rule.countries.filter((country) => country !== MOVED);
    const moved = {
      ...rule,
      id: `${MOVED.toLowerCase()}-moved-${version}`,
      region,
      countries: [MOVED],
    };
    return others.length === 0 ? [moved] : [{ ...rule, countries: others }, moved];
  });
  return { ...document, version, effectiveFrom: new Date(effectiveFrom).toISOString(), rules };
}

export function published(document: PolicyDocument): LogEntry {
  return policyEntry(document, randomUUID());
}

/** A version on the log. */
export interface VersionOnLog {
  readonly document: PolicyDocument;
  readonly appendedAt: number;
  readonly effectiveFrom: number;
}

/** The versions on the policy log in order, each once. */
export function versionsOn(rows: readonly KcatRow[]): readonly VersionOnLog[] {
  const versions: VersionOnLog[] = [];
  for (const { value, at } of rows) {
    const {
      type,
      data,
      data_base64: base64,
    } = JSON.parse(String(value)) as {
      readonly type: string;
      readonly data?: PolicyDocument;
      readonly data_base64?: string;
    };
    if (type !== 'policy.published.v1') continue;
    const document =
      data ?? (JSON.parse(Buffer.from(base64 ?? '', 'base64').toString('utf8')) as PolicyDocument);
    if (versions.some((known) => known.document.version === document.version)) continue;
    versions.push({
      document,
      appendedAt: at,
      effectiveFrom:
        document.version === 1 ? -Infinity : (parseInstant(document.effectiveFrom) ?? NaN),
    });
  }
  return versions;
}

/**
 * Computed independently of the code under test: a version counts unless it was effective before
 * its append; of those the latest effective one applies.
 */
export function inForce(versions: readonly VersionOnLog[], at: number): VersionOnLog | undefined {
  return versions
    .filter(
      ({ effectiveFrom, appendedAt }) => effectiveFrom === -Infinity || effectiveFrom >= appendedAt,
    )
    .filter(({ effectiveFrom }) => effectiveFrom <= at)
    .reduce<VersionOnLog | undefined>(
      (best, one) => (best === undefined || one.effectiveFrom >= best.effectiveFrom ? one : best),
      undefined,
    );
}

/** The region in which a version puts `MOVED` today. */
export function regionOfMoved({ document }: VersionOnLog): string | undefined {
  return document.rules.find(
    ({ until, countries }) => until === undefined && countries.includes(MOVED),
  )?.region;
}
