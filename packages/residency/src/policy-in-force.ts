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
  'RETROACTIVE',
] as const;
export type InvalidPolicyCode = (typeof INVALID_POLICY_CODES)[number];

/** A published version that everybody ignores. */
export interface InvalidPolicy {
  readonly published: PolicyPublished;
  readonly code: InvalidPolicyCode;
  /** What was expected and found; fit for an alert. */
  readonly message: string;
}

/**
 * The version a record appended at `at` is decided under: of the valid ones in `published` (in log order) the one with
 * the largest `effectiveFrom <= at`; of equal ones the higher version. Version 1 is in force since ever. `undefined`:
 * no valid version reaches back to `at`, so the record has to wait.
 *
 * Versions appended after `at` need no filter: theirs is an `effectiveFrom` not before their append time, hence beyond
 * `at`. So more versions in the log never change an earlier record's answer, version 1's arrival excepted.
 */
export function policyInForce(
  published: readonly PolicyPublished[],
  at: Instant,
): PolicyVersion | undefined {
  let inForce: PolicyPublished | undefined;
  for (const version of validPolicies(published)) {
    const from = effectiveFrom(version.document);
    // `>=`: valid versions come in ascending order, so the higher of two wins.
    if (from <= at && (inForce === undefined || from >= effectiveFrom(inForce.document)))
      inForce = version;
  }
  return inForce;
}

/**
 * The versions that `policyInForce` ignores, with the reason, in log order. In the order of judgement: not sound
 * (`checkPolicy`); another policy's id than the first valid one's; a number that a valid version with another digest has
 * (the first wins); a number below a valid one; effective before it was appended. The same document published again is
 * a repetition and changes nothing.
 */
export function invalidPolicies(published: readonly PolicyPublished[]): InvalidPolicy[] {
  return judge(published).invalid;
}

/** The versions that count, in log order, a repeated one once: the last one is the newest. */
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
  if (effectiveFrom(document) < appendedAt && document.version !== 1) {
    return {
      code: 'RETROACTIVE',
      message: `Expected ${name} to be effective from ${formatInstant(appendedAt)}, when it was appended, or later, found ${document.effectiveFrom}. Publish it with a later effectiveFrom.`,
    };
  }
  return undefined;
}

/** Only for sound documents: `effectiveFrom` can be read. */
function effectiveFrom({ version, effectiveFrom: text }: PolicyDocument): Instant {
  return version === 1 ? -Infinity : (parseInstant(text) ?? Infinity);
}

// Judged once a document, although the router asks once a record. Against the codes it lists and no others: which codes are
// assigned today is the software's knowledge, and a later release must not judge an old document, or an old record, anew.
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
