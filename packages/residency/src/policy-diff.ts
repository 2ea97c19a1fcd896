import { decide } from './decide.ts';
import type { Instant } from './instant.ts';
import type { PolicyRule, PolicyVersion } from './policy.ts';
import { ruleInterval } from './rule-interval.ts';

/**
 * A country that two documents place differently throughout `[from, until)`. `null`: the document
 * does not know the country, so its samples are quarantined.
 */
export interface PolicyMove {
  readonly country: string;
  readonly from: Instant;
  readonly until: Instant;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * The changes from one document to another, from `since` on, by country and then by time. Compares
 * only the documents; neither need be in force.
 */
export function policyDiff(
  before: PolicyVersion,
  after: PolicyVersion,
  since: Instant,
): PolicyMove[] {
  const rules = [...before.document.rules, ...after.document.rules];
  const countries = [...new Set(rules.flatMap((rule) => rule.countries))].sort();
  return countries.flatMap((country) => {
    const bounds = rules.filter((rule) => rule.countries.includes(country)).flatMap(boundsOf);
    const starts = [
      since,
      ...[...new Set(bounds)].filter((at) => at > since && at < Infinity).sort((a, b) => a - b),
    ];
    return movesOf(country, starts, before, after);
  });
}

/** No result changes between two starts of rules. */
function movesOf(
  country: string,
  starts: readonly Instant[],
  before: PolicyVersion,
  after: PolicyVersion,
): PolicyMove[] {
  const moves: PolicyMove[] = [];
  for (const [index, from] of starts.entries()) {
    const move = {
      country,
      from,
      until: starts[index + 1] ?? Infinity,
      before: regionOf(before, country, from),
      after: regionOf(after, country, from),
    };
    const last = moves.at(-1);
    if (move.before === move.after) continue;
    if (last?.until === from && last.before === move.before && last.after === move.after)
      moves[moves.length - 1] = { ...last, until: move.until };
    else moves.push(move);
  }
  return moves;
}

function boundsOf(rule: PolicyRule): Instant[] {
  const interval = ruleInterval(rule);
  return interval === undefined ? [] : [interval.from, interval.until];
}

function regionOf(policy: PolicyVersion, country: string, at: Instant): string | null {
  const decision = decide(policy, country, at);
  return decision.known ? decision.region : null;
}
