import type { Mistake } from './mistake.ts';
import type { SitePlace } from './regions-file.ts';
import { looksLikeSiteVariable, siteVariables } from './site-variables.ts';
import { COMMAND_VARIABLES, VARIABLE_NAMES } from './variables.ts';

const PREFIX = 'RESIDENCY_';
const TESTS = 'RESIDENCY_TEST_';

/** A typo must not pass for a setting that was left out. Values are never shown: it may be a secret's. `places`: absent where the regions file is not known. */
export function unknownVariables(
  names: readonly string[],
  places: readonly SitePlace[] | undefined,
): readonly Mistake[] {
  const ofSites = places?.flatMap(({ site }) =>
    (['sites', 'readers'] as const).flatMap((role) => Object.values(siteVariables(site, role))),
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
    .map((one) => ({ one, distance: distance(name, one) }))
    .filter(({ distance: far }) => far <= NEAR)
    .sort((a, b) => a.distance - b.distance);
  return best === undefined ? '' : ` (${best.one} is meant?)`;
}

/** Levenshtein's. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= Math.min(one.length, 128); i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
