import { defined } from '@residency/defined';
import {
  formatInstant,
  invalidPolicies,
  policySchedule,
  validPolicies,
} from '@residency/residency';
import type {
  InForce,
  Instant,
  InvalidPolicy,
  PolicyPublished,
  PolicyVersion,
} from '@residency/residency';

/** The judgement of a version as if it were published after the existing ones. */
export type Publication =
  /** A valid version with the same digest is published already. */
  | { readonly kind: 'published'; readonly inForce: InForce | undefined }
  | { readonly kind: 'refused'; readonly why: InvalidPolicy }
  | {
      readonly kind: 'valid';
      readonly inForce: InForce | undefined;
      readonly next: InForce | undefined;
      readonly replaced: readonly PolicyPublished[];
    };

/**
 * `at`: its append time. `replaced`: those scheduled for the same instant, which now never come.
 */
export function judgePublication(
  before: readonly PolicyPublished[],
  { document, digest }: PolicyVersion,
  at: Instant,
): Publication {
  const valid = validPolicies(before);
  if (valid.some((one) => one.digest === digest))
    return {
      kind: 'published',
      inForce: policySchedule(before).find(({ policy }) => policy.digest === digest),
    };
  const after = [...before, { document, digest, appendedAt: at }];
  if (!validPolicies(after).some((one) => one.digest === digest)) {
    // The last: the same document may have been refused before, for another reason.
    const why = invalidPolicies(after).findLast(({ published }) => published.digest === digest);
    if (why === undefined) throw new TypeError('Expected a version to be valid or invalid.');
    return { kind: 'refused', why };
  }
  const schedule = policySchedule(after);
  const index = schedule.findIndex(({ policy }) => policy.digest === digest);
  const lasting = new Set(schedule.map(({ policy }) => policy.digest));
  const replaced = policySchedule(before)
    .map(({ policy }) => policy)
    .filter((policy) => !lasting.has(policy.digest));
  return {
    kind: 'valid',
    inForce: schedule[index],
    next: index < 0 ? undefined : schedule[index + 1],
    replaced,
  };
}

/** When it is in force, and what does not go by its number. */
export function scheduleLines(
  name: string,
  { inForce, next, replaced }: Extract<Publication, { kind: 'valid' }>,
): string[] {
  return [
    `${name} is in force from ${instantText(inForce?.from ?? -Infinity)}${next === undefined ? '' : ` until ${formatInstant(next.from)}`}.`,
    ...(next === undefined
      ? []
      : [
          `From ${formatInstant(next.from)} on ${nameOf(next.policy)} is, although its number is lower: it was published for that instant. To cancel it, publish the next number with that effectiveFrom.`,
        ]),
    ...replaced.map(
      (one) =>
        `${nameOf(one)}, which was to be in force from ${one.document.effectiveFrom}, never will be: this version takes its place.`,
    ),
  ];
}

export function scheduleJson({
  inForce,
  next,
  replaced,
}: Extract<Publication, { kind: 'valid' }>): object {
  return {
    from: instantJson(inForce?.from ?? -Infinity),
    until: instantJson(inForce?.until ?? Infinity),
    ...defined({ next: next?.policy.document.version }),
    replaces: replaced.map(({ document: { version } }) => version),
  };
}

export function nameOf({ document: { id, version } }: PolicyVersion): string {
  return `${id}/${version}`;
}

/** `null`: without end. */
export function instantJson(at: Instant): string | null {
  return Number.isFinite(at) ? formatInstant(at) : null;
}

export function instantText(at: Instant): string {
  return Number.isFinite(at) ? formatInstant(at) : at < 0 ? 'ever' : '';
}
