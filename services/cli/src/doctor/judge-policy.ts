import { formatInstant, invalidPolicies, policyInForce } from '@residency/residency';
import type { PolicyDocument, PolicyPublished } from '@residency/residency';
import { checkSites } from '@residency/configuration';
import { ok, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

const CHECK = 'policy';

export function judgePolicy(
  published: readonly PolicyPublished[],
  now: number,
): readonly Finding[] {
  const inForce = policyInForce(published, now);
  const ignored = invalidPolicies(published).map(
    ({ code, message, published: { appendedAt } }): Finding => ({
      ...wrong(
        CHECK,
        `published ${formatInstant(appendedAt)} and ignored by everybody: ${message}`,
      ),
      code,
    }),
  );
  if (inForce === undefined)
    return [
      wrong(
        CHECK,
        `none in force among ${published.length} published`,
        'Publish one: residency policy publish.',
      ),
      ...ignored,
    ];
  const { document } = inForce;
  return [
    ok(CHECK, `${document.id}/${document.version} in force, of ${published.length} published`),
    ...ignored,
  ];
}

/** The document in force, and the last one, which may be yet to come. */
export function documentsOf(
  published: readonly PolicyPublished[],
  now: number,
): readonly PolicyDocument[] {
  return [
    ...new Set([now, Infinity].flatMap((at) => policyInForce(published, at)?.document ?? [])),
  ];
}

/** Each of theirs once. */
export function regionsOf(documents: readonly PolicyDocument[]): readonly string[] {
  return [...new Set(documents.flatMap(({ regions }) => regions.map(({ id }) => id)))];
}

export function judgePolicySites(
  documents: readonly PolicyDocument[],
  places: readonly { readonly site: string; readonly region: string }[],
): readonly Finding[] {
  const check = "policy's sites";
  const problems = checkSites(documents, places)
    .filter(({ code }) => code !== 'SITE_UNKNOWN')
    .map(({ code, message }): Finding => ({ ...wrong(check, message), code }));
  const sites = new Set(
    documents.flatMap(({ regions }) => regions.flatMap((region) => region.sites)),
  );
  return problems.length > 0
    ? problems
    : [ok(check, `${sites.size} sites, each configured in its region`)];
}
