import { RedisConsentView } from '@residency/adapter-redis';
import { S3Sites } from '@residency/adapter-s3';
import { DEFAULT_LIMITS } from '@residency/contracts';
import { createRouter, pausable, verifyRegions } from '@residency/routing';
import { LOG, REGION_OF } from '../names.ts';
import type { SimProcess } from '../process.ts';
import { callsOf, failure } from '../s3/calls.ts';
import type { Surroundings } from '../surroundings.ts';
import { diskSites } from './disk-sites.ts';
import { retryUntilReady, openLog } from './log.ts';
import { simulatedSealer } from './sealer.ts';

/** Short ones, so that a world lives through many sessions. */
const TIMES = {
  maxBatchRecords: 8,
  sessionTimeoutMs: 3_000,
  transactionTimeoutMs: 2_000,
  heartbeatIntervalMs: 300,
  stallMs: 20_000,
  backOff: { firstMs: 100, mostMs: 2_000 },
};
export const MARGIN_MS = 1_000;

/** As `services/router` composes it, but for probes, metrics and real keys. */
export async function router(process: SimProcess): Promise<void> {
  const {
    world,
    stop: { signal },
  } = process;
  const log = await openLog(process, 'residency-router');
  const consents = new RedisConsentView({
    url: 'redis://simulated:6379',
    keyPrefix: 'sim',
    log: LOG,
  });
  const sites = sitesOf(world);
  const stores = world.plan.disks
    ? diskSites(
        sites,
        (site) => world.entrance(site),
        (site) => failure(site, 'SITE_UNREACHABLE'),
      )
    : sites;
  const policies = log.policyView();
  const control = log.controlView();
  const keys = { newest: (region: string) => region };
  try {
    await retryUntilReady(process, async () => {
      await control.read();
      await verifyRegions((await policies.read()).versions, { sites, keys });
    });
    const route = createRouter({
      limits: DEFAULT_LIMITS,
      sealer: simulatedSealer,
      sites: stores,
      consents,
      policies,
      outcomes: log.settledOutcomes(),
      watermarkMarginMs: MARGIN_MS,
    });
    await log.submissionLog(TIMES).consume(pausable(route, control), {
      until: 'aborted',
      signal,
      settled: ({ settlements, blocked }, partition) => {
        if (blocked !== undefined) world.waits(partition, blocked);
        else if (settlements.length > 0) world.waits(partition, undefined);
      },
    });
  } finally {
    await log.close();
    await consents.close();
    sites.close();
  }
}

function sitesOf(world: Surroundings): S3Sites {
  const settings = Object.entries(REGION_OF).map(
    ([site, region]) =>
      ({
        site,
        region,
        bucket: site,
        awsRegion: 'sim',
        pathStyle: true,
        checksums: 'WHEN_REQUIRED',
      }) as const,
  );
  const open: Open = ({ site }, hooks) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what S3Calls asks of a bucket, simulated
    return callsOf(world.entrance(site), hooks) as ReturnType<Open>;
  };
  return new S3Sites(settings, { open });
}

type Open = NonNullable<NonNullable<ConstructorParameters<typeof S3Sites>[1]>['open']>;
