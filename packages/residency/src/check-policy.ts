import { checkCoverage } from './check-coverage.ts';
import { COUNTRIES } from './countries.ts';
import { parseInstant } from './instant.ts';
import { settleWith } from './policy.ts';
import type { PolicyDocument, PolicyRegion, PolicyRule } from './policy.ts';
import type { PolicyProblem, PolicyProblemCode } from './policy-problem.ts';
import { repeated } from './repeated.ts';
import { ruleInterval } from './rule-interval.ts';

const ASSIGNED: ReadonlySet<string> = new Set(COUNTRIES.keys());

/**
 * All reasons why `document` does not decide for exactly the codes of `assigned` at every instant;
 * empty: it is valid. Never throws. Before publication a document is checked against today's codes,
 * the default; a published one only against its own codes (`policyInForce`).
 */
export function checkPolicy(
  document: PolicyDocument,
  assigned: ReadonlySet<string> = ASSIGNED,
): PolicyProblem[] {
  const regions = new Set(document.regions.map(({ id }) => id));
  const problems: PolicyProblem[] = [];
  if (parseInstant(document.effectiveFrom) === undefined) {
    problems.push({
      code: 'INVALID_INSTANT',
      message: 'effectiveFrom: expected RFC 3339, found something else.',
    });
  }
  return [
    ...problems,
    ...checkRegions(document.regions),
    ...repeated(document.rules.map(({ id }) => id)).map((id): PolicyProblem => ({
      code: 'DUPLICATE_RULE',
      message: `Expected one rule "${id}", found more; audit events name rules by id.`,
    })),
    ...document.rules.flatMap((rule) => checkRule(rule, regions, assigned)),
    ...checkCoverage(document.rules, assigned),
  ];
}

function checkRegions(regions: readonly PolicyRegion[]): PolicyProblem[] {
  return [
    ...repeated(regions.map(({ id }) => id)).map((id): PolicyProblem => ({
      code: 'DUPLICATE_REGION',
      message: `Expected one region "${id}", found more.`,
    })),
    ...regions
      .filter(({ sites }) => sites.length === 0)
      .map(({ id }): PolicyProblem => ({
        code: 'REGION_WITHOUT_SITE',
        message: `Expected at least one site in region "${id}", found none.`,
      })),
    ...regions
      .filter((region) => settleWith(region) > region.sites.length)
      .map((region): PolicyProblem => ({
        code: 'TOO_FEW_SITES',
        message: `Expected region "${region.id}" to have the ${settleWith(region)} sites that settleWith asks for, found ${region.sites.length}.`,
      })),
    // A site in two regions would hold samples of both, but the marker in its bucket can name only
    // one.
    ...repeated(regions.flatMap(({ sites }) => sites)).map((site): PolicyProblem => ({
      code: 'DUPLICATE_SITE',
      message: `Expected site "${site}" once, found it more often; a site belongs to one region.`,
    })),
  ];
}

function checkRule(
  rule: PolicyRule,
  regions: ReadonlySet<string>,
  assigned: ReadonlySet<string>,
): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const found = (code: PolicyProblemCode, message: string) =>
    problems.push({ code, message: `Rule "${rule.id}": ${message}` });
  const interval = ruleInterval(rule);
  if (interval === undefined)
    found('INVALID_INSTANT', 'expected from and until in RFC 3339, found something else.');
  else if (interval.until <= interval.from)
    found(
      'EMPTY_INTERVAL',
      `expected until after from, found from ${rule.from} until ${rule.until}.`,
    );
  if (!regions.has(rule.region))
    found(
      'UNDECLARED_REGION',
      `expected a region that the policy declares, found "${rule.region}".`,
    );
  const unknown = [...new Set(rule.countries)].filter((country) => !assigned.has(country));
  if (unknown.length > 0)
    found(
      'UNKNOWN_COUNTRY',
      `expected assigned ISO 3166-1 alpha-2 codes or XK in upper case, found ${unknown.join(', ')}.`,
    );
  const twice = repeated(rule.countries);
  if (twice.length > 0)
    found('DUPLICATE_COUNTRY', `expected each country once, found more of ${twice.join(', ')}.`);
  return problems;
}
