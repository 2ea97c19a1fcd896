import { formatInstant } from './instant.ts';
import type { Instant } from './instant.ts';
import type { PolicyRule } from './policy.ts';
import type { PolicyProblem } from './policy-problem.ts';
import { ruleInterval } from './rule-interval.ts';
import type { RuleInterval } from './rule-interval.ts';

interface Claim extends RuleInterval {
  readonly rule: string;
}

/** An interval in which a country has no rule, or more than one. */
interface Fault extends RuleInterval {
  readonly rules: readonly string[];
}

/**
 * Gaps and overlaps among the codes of `assigned`. Countries with the same fault are listed
 * together. A rule with an unreadable instant covers nothing.
 */
export function checkCoverage(
  rules: readonly PolicyRule[],
  assigned: ReadonlySet<string>,
): PolicyProblem[] {
  const claims = claimsByCountry(rules);
  const groups = new Map<string, { readonly fault: Fault; readonly countries: string[] }>();
  for (const country of assigned) {
    for (const fault of faults(claims.get(country) ?? [])) {
      const key = JSON.stringify([String(fault.from), String(fault.until), fault.rules]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { fault, countries: [country] });
      else group.countries.push(country);
    }
  }
  return [...groups.values()].map(({ fault, countries }) => problem(fault, countries));
}

function claimsByCountry(rules: readonly PolicyRule[]): Map<string, Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const rule of rules) {
    const interval = ruleInterval(rule);
    if (interval === undefined || interval.until <= interval.from) continue;
    for (const country of new Set(rule.countries)) {
      const claim = { ...interval, rule: rule.id };
      const others = claims.get(country);
      if (others === undefined) claims.set(country, [claim]);
      else others.push(claim);
    }
  }
  return claims;
}

/**
 * Nothing changes between two neighbouring boundaries, so one check at each boundary covers every
 * instant.
 */
function faults(claims: readonly Claim[]): Fault[] {
  const boundaries = [
    ...new Set([-Infinity, ...claims.flatMap(({ from, until }) => [from, until]), Infinity]),
  ].sort((a, b) => (a < b ? -1 : 1));
  return boundaries.slice(0, -1).flatMap((from, position) => {
    const rules = claims
      .filter((claim) => claim.from <= from && from < claim.until)
      .map(({ rule }) => rule);
    return rules.length === 1 ? [] : [{ from, until: boundaries[position + 1] ?? Infinity, rules }];
  });
}

function problem({ from, until, rules }: Fault, countries: readonly string[]): PolicyProblem {
  const when = `from ${instant(from)} until ${instant(until)}`;
  return rules.length === 0
    ? { code: 'GAP', message: `Expected one rule ${when}, found none for ${countries.join(', ')}.` }
    : {
        code: 'OVERLAP',
        message: `Expected one rule ${when}, found ${rules.map((rule) => `"${rule}"`).join(' and ')} for ${countries.join(', ')}.`,
      };
}

function instant(at: Instant): string {
  if (at === -Infinity) return 'the beginning of time';
  return at === Infinity ? 'the end of time' : formatInstant(at);
}
