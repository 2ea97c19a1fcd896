import { formatInstant, invalidPolicies, validPolicies } from '@residency/residency';
import type { Instant } from '@residency/residency';
import { ok, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { Limits } from '../limits.ts';
import { secondsText } from '../seconds-text.ts';
import { inForceIn } from '../snapshot.ts';
import type { PolicyFacts, ViewFacts } from '../snapshot.ts';

export function judgeConsents(
  { at, watermark, halted }: ViewFacts,
  limits: Limits,
): readonly CheckResult[] {
  const check = 'consent view';
  const found = completeText(watermark, at);
  if (halted)
    return [
      wrong(
        check,
        `halted: the consent log's append time went back; ${found}`,
        "Routing waits; do what the projector's error says.",
      ),
    ];
  return [isBehind(watermark, at, limits) ? behind(check, found) : ok(check, found)];
}

/** How far the policy log is read, what is in force, and what everybody ignores. */
export function judgePolicy(facts: PolicyFacts, limits: Limits): readonly CheckResult[] {
  const { at, watermark, versions } = facts;
  const check = 'policy';
  const inForce = inForceIn(facts);
  return [
    inForce === undefined
      ? wrong(
          check,
          `none in force among ${versions.length} published`,
          'Publish one: residency policy publish.',
        )
      : ok(check, `${inForce.id}/${inForce.version} in force, of ${versions.length} published`),
    ...(watermark !== undefined && isBehind(watermark, at, limits)
      ? [behind(check, completeText(watermark, at))]
      : []),
    ...ignored(versions),
  ];
}

/** Until a valid version is published after it: then somebody has seen to it. */
function ignored(versions: PolicyFacts['versions']): readonly CheckResult[] {
  const lastValidAt = Math.max(
    -Infinity,
    ...validPolicies(versions).map(({ appendedAt }) => appendedAt),
  );
  return invalidPolicies(versions)
    .filter(({ published: { appendedAt } }) => appendedAt >= lastValidAt)
    .map(({ code, message, published: { appendedAt } }) => ({
      ...wrong(
        'policy',
        `published ${formatInstant(appendedAt)} and ignored by everybody: ${message}`,
      ),
      code,
    }));
}

function isBehind(watermark: Instant, at: Instant, { viewLag }: Limits): boolean {
  return at - watermark > viewLag.seconds * 1_000;
}

function completeText(watermark: Instant, at: Instant): string {
  return `complete up to ${formatInstant(watermark)}, ${secondsText(Math.max(0, at - watermark))} ago`;
}

function behind(check: string, found: string): CheckResult {
  return wrong(
    check,
    found,
    'Routing waits: see whether a consent projector runs and ticks, and what its log says.',
  );
}
