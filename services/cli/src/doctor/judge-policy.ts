import { policyInForce } from '@residency/residency';
import type { PolicyDocument, PolicyPublished } from '@residency/residency';
import { checkSites } from '@residency/configuration';
import { ok, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';

/** The document in force and the last one, which may be in force later. */
export function documentsOf(
  published: readonly PolicyPublished[],
  now: number,
): readonly PolicyDocument[] {
  return [
    ...new Set([now, Infinity].flatMap((at) => policyInForce(published, at)?.document ?? [])),
  ];
}

/** The regions of the documents, each once. */
export function regionsOf(documents: readonly PolicyDocument[]): readonly string[] {
  return [...new Set(documents.flatMap(({ regions }) => regions.map(({ id }) => id)))];
}

export function judgePolicySites(
  documents: readonly PolicyDocument[],
  places: readonly { readonly site: string; readonly region: string }[],
): readonly CheckResult[] {
  const check = "policy's sites";
  const problems = checkSites(documents, places)
    .filter(({ code }) => code !== 'SITE_UNKNOWN')
    .map(({ code, message }): CheckResult => ({ ...wrong(check, message), code }));
  const sites = new Set(
    documents.flatMap(({ regions }) => regions.flatMap((region) => region.sites)),
  );
  return problems.length > 0
    ? problems
    : [ok(check, `${sites.size} sites, each configured in its region`)];
}
