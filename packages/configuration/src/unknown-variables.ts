import { levenshtein } from './levenshtein.ts';
import type { Mistake } from './mistake.ts';
import type { SitePlace } from './regions-file.ts';
import { SITE_ROLES, looksLikeSiteVariable, siteVariables } from './site-variables.ts';
import { COMMAND_VARIABLES, VARIABLE_NAMES } from './variables.ts';

const PREFIX = 'RESIDENCY_';
const TESTS = 'RESIDENCY_TEST_';

/**
 * Reports unknown variables, because a typo must not look like an omitted setting. Values are never
 * shown: the variable may be meant for a secret. `places`: absent if the regions file is unknown.
 */
export function unknownVariables(
  names: readonly string[],
  places: readonly SitePlace[] | undefined,
): readonly Mistake[] {
  const ofSites = places?.flatMap(({ site }) =>
    SITE_ROLES.flatMap((role) => Object.values(siteVariables(site, role))),
  );
  const known = new Set<string>([...VARIABLE_NAMES, ...COMMAND_VARIABLES, ...(ofSites ?? [])]);
  return names
    .filter((name) => name.startsWith(PREFIX) && !name.startsWith(TESTS) && !known.has(name))
    .filter((name) => ofSites !== undefined || !looksLikeSiteVariable(name))
    .map((name) => ({
      variable: printable(name),
      expected: 'a variable that exists',
      found: `an unknown one${suggestion(name, known)}`,
    }));
}

function printable(name: string): string {
  return name.slice(0, 128).replaceAll(/[^\w.-]/g, '?');
}

const NEAR = 3;

function suggestion(name: string, known: ReadonlySet<string>): string {
  const [best] = [...known]
    .map((one) => ({ one, distance: levenshtein(name, one) }))
    .filter(({ distance: far }) => far <= NEAR)
    .sort((a, b) => a.distance - b.distance);
  return best === undefined ? '' : ` (${best.one} is meant?)`;
}
