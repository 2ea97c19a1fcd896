import { randomUUID } from 'node:crypto';
import { SITE_RETIRED, objectKey, serviceOf, sha256, sitesInService } from '@residency/contracts';
import type { RegionService } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import { defined } from '@residency/defined';
import type { SiteReader } from '@residency/reconciliation';
import { policyInForce } from '@residency/residency';
import { pause } from '@residency/waiting';
import { withSystem } from '../opening/with-system.ts';
import { record } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import type { System } from '../system/system.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { startProgress } from '../terminal/progress.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { grouped } from '../terminal/table.ts';
import { holdingsOf, isIn } from './site-copies.ts';
import { namedSite } from './site-orders.ts';
import type { NamedSite } from './site-orders.ts';

type Retire = Common & { readonly reason: string; readonly rate?: number };

/** Samples read at once. The largest sealed message has some 16 MiB. */
const TOGETHER = 8;
const MOST_NAMED = 3;

/**
 * Ends the use of a later site: nothing is asked of it from then on, and nobody expects it back. Each
 * sample that the logs place there must have a copy in a site in service, which is read and compared
 * first. Policy versions go on naming the site (docs/decisions/0042).
 */
export async function retireSite(
  session: Session,
  options: Retire,
  name: string,
): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    const site = await namedSite(system, name);
    const service = serviceOf(await controlOf(system), site.region);
    if (service.retired.has(name))
      return await said(session, options, site, `${name} is retired already; nothing was done.`);
    const serving = await servingWithout(session, system, site, service);
    const { samples, missing } = await compareOthers(session, system, site, {
      serving,
      perSecond: options.rate,
    });
    if (missing.length > 0) throw copiesMissing(site, serving, missing);
    await record(session, system, {
      type: SITE_RETIRED,
      data: { act: randomUUID(), region: site.region, site: name, reason: options.reason, samples },
    });
    // A change of the arbiter may have begun meanwhile.
    if (!serviceOf(await controlOf(system), site.region).retired.has(name)) throw changing(site);
    return await said(
      session,
      options,
      site,
      `${name} is retired. Each of the ${grouped(samples)} samples that it had was read in another site of ${site.region}. Nothing is asked of it any more: delete its bucket or folder, and leave its entry in the regions file.`,
      samples,
    );
  });
}

/** The other sites of the region that serve. Throws if the site arbitrates, or may soon. */
async function servingWithout(
  { now }: Session,
  system: System,
  { site, region }: NamedSite,
  service: RegionService,
): Promise<readonly string[]> {
  if (service.closing !== undefined) throw changing({ site, region });
  const inForce = policyInForce(await system.policies(), now());
  const named = inForce?.document.regions.find(({ id }) => id === region)?.sites ?? [];
  const serving = sitesInService(service, named);
  if (serving[0] === site)
    throw new CliError({
      code: 'SITE_ARBITRATES',
      remedy: 'stop',
      message: `Expected a later site of ${region}, found that ${site} arbitrates; nothing was changed. Have another site arbitrate first: residency site out ${site} --reason TEXT.`,
    });
  return serving.filter((other) => other !== site);
}

interface Compared {
  /** How many samples the site has by the logs. */
  readonly samples: number;
  /** The positions of those without a good copy in another site. */
  readonly missing: readonly string[];
}

/** Throws if a site that serves does not answer. */
async function compareOthers(
  session: Session,
  system: System,
  site: NamedSite,
  {
    serving,
    perSecond,
  }: { readonly serving: readonly string[]; readonly perSecond: number | undefined },
): Promise<Compared> {
  const readers = await Promise.all(
    serving.map((other) => system.verifiedReader(other, site.region)),
  );
  const progress = startProgress(session, `Reading the other copies of ${site.site}`);
  const missing: string[] = [];
  const since = performance.now();
  let samples = 0;
  try {
    for await (const some of batches(session, system, site)) {
      const good = await Promise.all(some.map((holding) => hasGoodCopy(readers, holding)));
      missing.push(...some.filter((_, at) => good[at] !== true).map(({ position }) => position));
      progress.update((samples += some.length));
      checkInterrupted(session);
      if (perSecond !== undefined)
        await pause((samples / perSecond) * 1_000 - (performance.now() - since), session.signal);
    }
  } finally {
    progress.stop();
  }
  return { samples, missing };
}

/** The samples that the site has by the logs. */
async function* batches(
  session: Session,
  system: System,
  { site, region }: NamedSite,
): AsyncGenerator<readonly Holding[]> {
  let batch: Holding[] = [];
  for await (const holding of holdingsOf(session, system, region)) {
    // An erased sample needs no copy.
    if (holding.erased !== undefined || !isIn(site, holding)) continue;
    batch.push(holding);
    if (batch.length < TOGETHER) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function hasGoodCopy(
  readers: readonly SiteReader[],
  { submission, sealedSha256, copies }: Holding,
): Promise<boolean> {
  for (const reader of readers) {
    if (!isIn(reader.site, { copies })) continue;
    const found = await reader.read(objectKey(submission));
    if (found !== undefined && sha256(found.bytes) === sealedSha256) return true;
  }
  return false;
}

function copiesMissing(
  { site, region }: NamedSite,
  serving: readonly string[],
  missing: readonly string[],
): CliError {
  const some = missing.slice(0, MOST_NAMED).join(', ');
  return new CliError({
    code: 'COPIES_MISSING',
    remedy: 'stop',
    message: `Expected a good copy of every sample of ${site} in another site of ${region} (${serving.join(', ')}), found ${grouped(missing.length)} without one (${some}${missing.length > MOST_NAMED ? ', ...' : ''}); nothing was changed. Have the copies made: residency site repair SITE. Then repeat this.`,
  });
}

function changing({ site, region }: Pick<NamedSite, 'site' | 'region'>): CliError {
  return new CliError({
    code: 'ARBITER_CHANGING',
    remedy: 'retry',
    message: `Expected no change of the arbiter of ${region}, found one that is open or has made ${site} the arbiter; ${site} is not retired. See \`residency status\`, and repeat this when the change has ended.`,
  });
}

async function said(
  { output }: Session,
  { json }: Common,
  { site, region }: NamedSite,
  sentence: string,
  samples?: number,
): Promise<ExitCode> {
  await (json
    ? output.json({ site, region, state: 'retired', ...defined({ samples }) })
    : output.line(sentence));
  return EXIT.done;
}
