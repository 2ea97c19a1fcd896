import { checkPolicy } from './check-policy.ts';
import { formatInstant, parseInstant } from './instant.ts';
import type { Instant } from './instant.ts';
import type { PolicyProblem } from './policy-problem.ts';
import type { PolicyDocument, PolicyPublished, PolicyVersion } from './policy.ts';

export const INVALID_POLICY_CODES = [
  'UNSOUND',
  'OTHER_POLICY',
  'VERSION_TAKEN',
  'VERSION_NOT_GREATER',
  'ARBITER_CHANGED',
  'RETROACTIVE',
] as const;
export type InvalidPolicyCode = (typeof INVALID_POLICY_CODES)[number];

/** A published version that all services ignore. */
export interface InvalidPolicy {
  readonly published: PolicyPublished;
  readonly code: InvalidPolicyCode;
  /** The expected and the found value. Fit for an alert. */
  readonly message: string;
}

/**
 * The version under which a record appended at `at` is decided: of the valid versions in
 * `published` (in log order), the one with the largest `effectiveFrom <= at`; of equal ones, the
 * higher version. Version 1 has always been in force. `undefined`: no valid version reaches back to
 * `at`, so the record must wait. Versions appended after `at` need no filter: their `effectiveFrom`
 * is at or after their append time, hence after `at`. More versions in the log therefore never
 * change an earlier record's result, except for the arrival of version 1.
 */
export function policyInForce(
  published: readonly PolicyPublished[],
  at: Instant,
): PolicyVersion | undefined {
  let inForce: PolicyPublished | undefined;
  for (const version of validPolicies(published)) {
    const from = effectiveFrom(version.document);
    // `>=`: valid versions are in ascending order, so the higher of two equal ones wins.
    if (from <= at && (inForce === undefined || from >= effectiveFrom(inForce.document)))
      inForce = version;
  }
  return inForce;
}

/**
 * The versions that `policyInForce` ignores, with the reason, in log order. The checks, in this
 * order: invalid (`checkPolicy`); another policy id than the first valid one's; a number that a
 * valid version with another digest has (the first wins); a number below a valid one; a region
 * whose first site changed, or that lost a site; effective before it was appended. The same
 * document published again is a repetition and changes nothing.
 */
export function invalidPolicies(published: readonly PolicyPublished[]): InvalidPolicy[] {
  return judge(published).invalid;
}

/** The valid versions in log order, each once. The last one is the newest. */
export function validPolicies(published: readonly PolicyPublished[]): PolicyPublished[] {
  return judge(published).valid;
}

function judge(published: readonly PolicyPublished[]): {
  valid: PolicyPublished[];
  invalid: InvalidPolicy[];
} {
  const valid: PolicyPublished[] = [];
  const invalid: InvalidPolicy[] = [];
  for (const version of published) {
    if (valid.some(({ digest }) => digest === version.digest)) continue;
    const fault = faultOf(version, valid);
    if (fault === undefined) valid.push(version);
    else invalid.push({ published: version, ...fault });
  }
  return { valid, invalid };
}

function faultOf(
  { document, appendedAt }: PolicyPublished,
  valid: readonly PolicyPublished[],
): Omit<InvalidPolicy, 'published'> | undefined {
  const [first] = valid;
  const last = valid.at(-1);
  const name = `${document.id}/${document.version}`;
  const problems = problemsOf(document);
  if (problems.length > 0) {
    return {
      code: 'UNSOUND',
      message: `Expected a sound policy, found ${problems.length} problem(s) in ${name}, the first: ${problems[0]?.message} Publish a corrected version.`,
    };
  }
  if (first !== undefined && document.id !== first.document.id) {
    return {
      code: 'OTHER_POLICY',
      message: `Expected versions of "${first.document.id}" on this log, found ${name}. Publish it to its own log.`,
    };
  }
  if (valid.some(({ document: { version } }) => version === document.version)) {
    return {
      code: 'VERSION_TAKEN',
      message: `Expected ${name} to stay as it was first published, found another document under that number. Publish it under the next number.`,
    };
  }
  if (last !== undefined && document.version < last.document.version) {
    return {
      code: 'VERSION_NOT_GREATER',
      message: `Expected a version above ${last.document.version}, found ${name}. Publish it under the next number.`,
    };
  }
  const arbitration = last === undefined ? undefined : arbitrationFault(document, last.document);
  if (arbitration !== undefined) return { code: 'ARBITER_CHANGED', message: arbitration };
  if (effectiveFrom(document) < appendedAt && document.version !== 1) {
    return {
      code: 'RETROACTIVE',
      message: `Expected ${name} to be effective from ${formatInstant(appendedAt)}, when it was appended, or later, found ${document.effectiveFrom}. Publish it with a later effectiveFrom.`,
    };
  }
  return undefined;
}

/**
 * A region's first site is the register of identities (docs/decisions/0015), and its other sites
 * show what the first one lost, so neither may be removed. The comparison with the last valid
 * version suffices, because each valid version kept the sites of those before it.
 */
function arbitrationFault(
  { id, version, regions }: PolicyDocument,
  last: PolicyDocument,
): string | undefined {
  for (const before of last.regions) {
    const after = regions.find((region) => region.id === before.id);
    const name = `${id}/${version}`;
    if (after === undefined) {
      return `Expected ${name} to keep region ${before.id} of version ${last.version}, found none. Publish it with the region and its sites; a region without rules gets no samples.`;
    }
    const [arbiter] = before.sites;
    if (after.sites[0] !== arbiter) {
      return `Expected ${arbiter} to stay the first site of region ${before.id} in ${name}, found ${after.sites[0]}: the first site arbitrates for ever. Publish it with ${arbiter} first.`;
    }
    const missing = before.sites.find((site) => !after.sites.includes(site));
    if (missing !== undefined) {
      return `Expected ${name} to keep site ${missing} in region ${before.id}, found it left out: its objects are still needed. Publish it with every site of version ${last.version}.`;
    }
  }
  return undefined;
}

/**
 * The start of a version; version 1 has always been in force. Only for valid documents, whose
 * `effectiveFrom` can be read.
 */
export function effectiveFrom({ version, effectiveFrom: text }: PolicyDocument): Instant {
  return version === 1 ? -Infinity : (parseInstant(text) ?? Infinity);
}

// Cached by document, because the router calls this once a record. Checked against the codes that
// the document lists, and no others: the list of assigned codes is knowledge of a release, and a
// later release must not judge an old document, or an old record, differently.
const known = new WeakMap<PolicyDocument, readonly PolicyProblem[]>();

function problemsOf(document: PolicyDocument): readonly PolicyProblem[] {
  let problems = known.get(document);
  if (problems === undefined)
    known.set(
      document,
      (problems = checkPolicy(
        document,
        new Set(document.rules.flatMap(({ countries }) => countries)),
      )),
    );
  return problems;
}
