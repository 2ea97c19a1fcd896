import { AvailableSites } from '@residency/availability';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3Sites } from '@residency/adapter-s3';
import { remedyOf } from '@residency/coded-error';
import { DEFAULT_LIMITS, sitesLeaving } from '@residency/contracts';
import { createRouter, verifyRegions } from '@residency/routing';
import type { ObjectStore, Sites } from '@residency/routing';
import { CUSTODY_REGION, LOG } from '../names.ts';
import type { SimProcess } from '../process.ts';
import { callsOf, failure } from '../s3/calls.ts';
import type { Surroundings } from '../surroundings.ts';
import { diskSites } from './disk-sites.ts';
import { retryUntilReady, openLog } from './log.ts';
import { simulatedSealer } from './sealer.ts';
import { siteSettings } from './site-settings.ts';

/** Short ones, so that a world lives through many sessions. */
export const TIMES = {
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
  const buckets = sitesOf(world);
  const stores = world.plan.disks
    ? diskSites(
        buckets,
        (site) => world.entrance(site),
        (site) => failure(site, 'SITE_UNREACHABLE'),
      )
    : buckets;
  const available = new AvailableSites(stores, {
    now: () => performance.now(),
    onChange: (site, failure) => {
      if (failure) world.faults.count('site left out');
      world.narrate(
        world.scheduler.now,
        process.name,
        failure ? `leaves ${site} out` : `uses ${site} again`,
      );
    },
  });
  const sites = noting(available, (site) => {
    world.unanswered(site);
  });
  const policies = log.policyView();
  const control = log.controlView((state) => {
    available.leave(sitesLeaving(state));
  });
  const keys = { newest: (region: string) => region };
  try {
    await retryUntilReady(process, async () => {
      await verifyRegions((await policies.read()).versions, {
        control: await control.read(),
        sites,
        keys,
      });
    });
    const route = createRouter({
      control,
      limits: DEFAULT_LIMITS,
      sealer: simulatedSealer,
      sites,
      consents,
      policies,
      outcomes: log.settledOutcomes(),
      watermarkMarginMs: MARGIN_MS,
    });
    await log
      .submissionLog({
        ...TIMES,
        regions: [CUSTODY_REGION],
        fenced: async () => {
          await control.readToEnd();
        },
      })
      .consume(route, {
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
    buckets.close();
  }
}

/** The same sites; `unanswered` is called for each that may be owed and does not answer. */
function noting(sites: Sites, unanswered: (site: string) => void): Sites {
  const noted = async <T>(site: string, owable: boolean, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      if (owable && remedyOf(error) === 'retry') unanswered(site);
      throw error;
    }
  };
  const stores = new WeakMap<ObjectStore, ObjectStore>();
  return {
    store: async (site, region, options = {}) => {
      const store = await noted(site, options.owable === true, () =>
        sites.store(site, region, options),
      );
      let one = stores.get(store);
      if (one === undefined)
        stores.set(
          store,
          (one = {
            site,
            create: (key, sealed, metadata, how = {}) =>
              noted(site, how.owable === true, () => store.create(key, sealed, metadata, how)),
            head: (key, how = {}) => noted(site, how.owable === true, () => store.head(key, how)),
            flush: () => store.flush(),
          }),
        );
      return one;
    },
  };
}

function sitesOf(world: Surroundings): S3Sites {
  const open: Open = ({ site }, hooks) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what S3Calls asks of a bucket, simulated
    return callsOf(world.entrance(site), hooks) as ReturnType<Open>;
  };
  return new S3Sites(siteSettings(), { open });
}

type Open = NonNullable<NonNullable<ConstructorParameters<typeof S3Sites>[1]>['open']>;
