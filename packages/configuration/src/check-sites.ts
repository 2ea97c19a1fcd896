/** The parts of a policy document that name the sites of each region. */
export interface NamedRegions {
  readonly regions: readonly { readonly id: string; readonly sites: readonly string[] }[];
}

export const SITE_PROBLEM_CODES = [
  'SITE_NOT_CONFIGURED',
  'SITE_ELSEWHERE',
  'SITE_UNKNOWN',
] as const;

export interface SiteProblem {
  readonly code: (typeof SITE_PROBLEM_CODES)[number];
  readonly site: string;
  readonly message: string;
}

/**
 * Checks the regions file against policy documents: every site has an entry, and none is in another
 * region. A site that no document names is reported as `SITE_UNKNOWN`: a later document may name
 * it.
 */
export function checkSites(
  documents: readonly NamedRegions[],
  places: readonly { readonly site: string; readonly region: string }[],
): readonly SiteProblem[] {
  const known = new Map(places.map(({ site, region }) => [site, region]));
  const named = new Set<string>();
  const problems = new Map<string, SiteProblem>();
  for (const { id: region, sites } of documents.flatMap(({ regions }) => regions)) {
    for (const site of sites) {
      named.add(site);
      const found = known.get(site);
      if (found === undefined)
        problems.set(site, {
          code: 'SITE_NOT_CONFIGURED',
          site,
          message: `Expected an entry for site ${site} of region ${region}, which the policy names, found none; add it to the regions file.`,
        });
      else if (found !== region)
        problems.set(`${site} ${region}`, {
          code: 'SITE_ELSEWHERE',
          site,
          message: `Expected site ${site} in region ${region}, as the policy says, found region ${found}; correct the regions file.`,
        });
    }
  }
  const spare = places
    .filter(({ site }) => !named.has(site))
    .map(({ site, region }): SiteProblem => ({
      code: 'SITE_UNKNOWN',
      site,
      message: `Expected every site in a policy, found ${site} of region ${region} in none; nothing is written there.`,
    }));
  return [...problems.values(), ...spare];
}
