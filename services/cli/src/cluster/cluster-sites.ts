import { initS3Site, verifyS3Site } from '@residency/adapter-s3';
import type { S3SiteReader } from '@residency/adapter-s3';
import { checkSites } from '@residency/configuration';
import type { SiteReader } from '@residency/reconciliation';
import type { PolicyDocument } from '@residency/residency';
import { CliError } from '../terminal/cli-error.ts';
import type { ComparedSites } from '../system/system.ts';
import type { Cluster } from './cluster.ts';

/** Throws if it does not answer, or is another site's. */
export async function verifiedReader(
  cluster: Cluster,
  site: string,
  region: string,
): Promise<SiteReader> {
  await verifyS3Site(cluster.reading(site));
  return cluster.watchedReader(site, region);
}

/** Every site that a policy names, verified unless it is out, and the other configured sites that are not empty. */
export async function comparedSites(
  cluster: Cluster,
  named: ReadonlyMap<string, ReadonlySet<string>>,
  out: ReadonlySet<string>,
): Promise<ComparedSites> {
  const regions = [...named].map(([id, sites]) => ({ id, sites: [...sites] }));
  const all = cluster.settings('readers');
  const problems = checkSites([{ regions }], all);
  refuse(problems.filter(({ code }) => code !== 'SITE_UNKNOWN').map(({ message }) => message));
  const readers: SiteReader[] = [];
  for (const { id, sites } of regions) {
    for (const site of sites) {
      // Otherwise the bucket of another site could be taken for an empty site.
      readers.push(
        out.has(site) ? cluster.watchedReader(site, id) : await verifiedReader(cluster, site, id),
      );
    }
  }
  const foreign: string[] = [];
  for (const { site, code } of problems)
    if (code === 'SITE_UNKNOWN' && (await holdsSomething(cluster.reader(site)))) foreign.push(site);
  return { readers, foreign };
}

/** With the routers' credentials, as `residency site init`, which a new site gets its marker by. */
export async function initSite(cluster: Cluster, site: string, region: string): Promise<void> {
  const settings = cluster.settings('sites').find((one) => one.site === site);
  if (settings?.region !== region)
    throw new CliError({
      code: 'CONFIGURATION_INCOMPLETE',
      message: `Expected an entry for site ${site} of region ${region} in the regions file, found ${settings === undefined ? 'none' : 'it in another region'}; nothing was changed. Correct the file.`,
      remedy: 'stop',
    });
  await initS3Site(settings);
}

async function holdsSomething(reader: S3SiteReader): Promise<boolean> {
  for await (const _ of reader.list()) return true;
  return false;
}

/**
 * On a cluster, publishing creates nothing. What a version needs must exist, or every router would
 * stop at it.
 */
export async function requireRegions(
  cluster: Cluster,
  document: PolicyDocument,
  out: ReadonlySet<string>,
): Promise<void> {
  const sites = cluster.settings('sites');
  const keys = cluster.keys();
  const elsewhere = checkSites([document], sites)
    .filter(({ code }) => code !== 'SITE_UNKNOWN')
    .map(({ message }) => message);
  const sealing = document.regions
    .filter(({ id }) => keys.newest(id) === undefined)
    .map(
      ({ id }) =>
        `Expected a key to seal for region ${id}, found none; make one: residency keys add --region ${id}.`,
    );
  refuse([...elsewhere, ...sealing]);
  const named = new Set(document.regions.flatMap((region) => region.sites));
  for (const site of sites)
    if (named.has(site.site) && !out.has(site.site)) await verifyS3Site(site);
}

function refuse(messages: readonly string[]): void {
  if (messages.length > 0)
    throw new CliError({
      code: 'CONFIGURATION_INCOMPLETE',
      message: messages.join('\n'),
      remedy: 'stop',
    });
}
