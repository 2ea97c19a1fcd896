import { twoLetterCode } from './assigned-code.ts';
import type { Instant } from './instant.ts';
import { settleWith } from './policy.ts';
import type { PolicyRule, PolicyVersion } from './policy.ts';
import { ruleInterval } from './rule-interval.ts';
import type { RuleInterval } from './rule-interval.ts';

export interface KnownDecision {
  readonly known: true;
  /** Upper case. */
  readonly country: string;
  readonly region: string;
  /** In writing order. The first arbitrates. */
  readonly sites: readonly string[];
  /** The least number of sites that must have the sample; the first is one of them. */
  readonly settleWith: number;
  readonly rule: PolicyRule;
  readonly policy: { readonly id: string; readonly version: number; readonly digest: string };
}
export type Decision = KnownDecision | { readonly known: false };

interface Entry extends RuleInterval {
  readonly decision: KnownDecision;
}

const UNKNOWN: Decision = Object.freeze({ known: false });

/**
 * Decides the region of a sample for a user in `country` (as sent, either case) at the time `at`.
 * Pure and total: never throws.
 *
 * A code that `policy` does not list is unknown. A policy lists assigned codes only (`checkPolicy`,
 * before it is published), so the answer follows from the document alone, in every release. A
 * country with no rule or more than one is unknown too: fail closed, never guess. Do not change a
 * version's document after the first call.
 */
export function decide(policy: PolicyVersion, country: string, at: Instant): Decision {
  const code = twoLetterCode(country);
  if (code === undefined) return UNKNOWN;
  let found: KnownDecision | undefined;
  for (const { from, until, decision } of indexOf(policy).get(code) ?? []) {
    if (at < from || !(at < until)) continue;
    if (found !== undefined) return UNKNOWN;
    found = decision;
  }
  return found ?? UNKNOWN;
}

// The router calls this once a record: decisions are precomputed in one map for each version.
const indices = new WeakMap<PolicyVersion, ReadonlyMap<string, readonly Entry[]>>();

function indexOf(policy: PolicyVersion): ReadonlyMap<string, readonly Entry[]> {
  let index = indices.get(policy);
  if (index === undefined) indices.set(policy, (index = buildIndex(policy)));
  return index;
}

function buildIndex({ document, digest }: PolicyVersion): Map<string, Entry[]> {
  const regions = new Map(document.regions.map((region) => [region.id, region]));
  const policy = { id: document.id, version: document.version, digest };
  const index = new Map<string, Entry[]>();
  for (const rule of document.rules) {
    const interval = ruleInterval(rule);
    const region = regions.get(rule.region);
    if (interval === undefined || region === undefined) continue;
    for (const country of new Set(rule.countries)) {
      const entry = {
        ...interval,
        decision: {
          known: true,
          country,
          region: region.id,
          sites: region.sites,
          settleWith: settleWith(region),
          rule,
          policy,
        },
      } as const;
      index.set(country, [...(index.get(country) ?? []), entry]);
    }
  }
  return index;
}
