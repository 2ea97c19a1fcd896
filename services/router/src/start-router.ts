import { AWAY_AT_START, AvailableSites, reportLeftOut } from '@residency/availability';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { openServiceLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3Sites } from '@residency/adapter-s3';
import { DEFAULT_LIMITS, TOPICS, formatPosition, sitesLeaving } from '@residency/contracts';
import { defined } from '@residency/defined';
import { LIMITS } from '@residency/observation';
import { runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import { blocksByItself, createRouter, verifyRegions } from '@residency/routing';
import type { Blocked } from '@residency/routing';
import { RegionSealer } from '@residency/sealing';
import type { Logger, Metrics } from '@residency/telemetry';
import { retryUntilReady } from '@residency/waiting';
import type { RouterSettings } from './config.ts';
import { Waiting } from './waiting.ts';
import type { WaitsFor } from './waiting.ts';

export interface RouterDeps {
  readonly settings: RouterSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Starts routing once cluster, keys, sites and views are verified. */
export async function startRouter(deps: RouterDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  return await runWork({
    name: 'routing',
    http: settings.http,
    logger,
    metrics,
    work: (context) => route(deps, context),
  });
}

/** A wait is reported on `/readyz` only after this time, as in the alerts. */
const ORDINARY_PATIENCE_MS = LIMITS.viewLag.seconds * 1_000;

async function route(
  { settings, logger, metrics }: RouterDeps,
  { signal, waits, started, paused }: WorkContext,
): Promise<void> {
  const names = settings.sites.map(({ site }) => site);
  const regions = [...new Set(settings.sites.map(({ region }) => region))];
  const routed = metrics.routing(regions, names);
  const { requested: onRequest } = metrics.requests(names);
  const controlMetrics = metrics.control();
  const buckets = new S3Sites(settings.sites, { onRequest });
  const sites = new AvailableSites(buckets, {
    patienceMs: settings.routing.sitePatienceMs,
    now: () => performance.now(),
    onChange: reportLeftOut({ logger, leftOut: routed.leftOut }),
  });
  const { log, control } = await openServiceLog({
    service: 'router',
    kafka: settings.kafka,
    logger,
    signal,
    waits,
    onControl: (state) => {
      controlMetrics.is(state);
      paused(state.mode === 'paused');
      sites.leave(sitesLeaving(state));
    },
  });
  const consents = new RedisConsentView(settings.redis);
  const policies = log.policyView();
  // The exporter reports the consents' watermark, which is in Redis.
  metrics.views(async (at) => ({ policy: { at, ...(await policies.read()) } }));
  try {
    const keys = new KeyDirectory(settings.keys.directory);
    await retryUntilReady(() => consents.requireNoEviction(), { signal, waits });
    await retryUntilReady(
      async () => {
        await verifyRegions((await policies.read()).versions, {
          control: await control.read(),
          sites,
          keys,
          away: (site, error) => {
            logger.warn(AWAY_AT_START, { site, error });
          },
        });
      },
      { signal, waits },
    );
    waits(undefined);
    started();
    const { inFlightBytes, watermarkMarginMs, ...batches } = settings.routing;
    const router = createRouter({
      limits: { ...DEFAULT_LIMITS, inFlightBytes },
      sealer: new RegionSealer(keys),
      sites,
      consents,
      policies,
      control,
      outcomes: log.settledOutcomes(),
      watermarkMarginMs,
      onStage: routed.stage,
    });
    const waiting = new Waiting(ORDINARY_PATIENCE_MS, () => performance.now());
    const reportWait = (): void => {
      const { error, position, trace } = waiting.news ?? {};
      waits(error, { position, trace });
    };
    const waitsOf = (
      partition: number | undefined,
      what: WaitsFor | undefined,
      moved?: boolean,
    ): void => {
      waiting.on(partition, what, moved);
      reportWait();
    };
    const source = log.submissionLog({
      ...batches,
      regions,
      onRetry: (error, partition) => {
        waitsOf(partition, { error });
      },
      fenced: async () => {
        await control.readToEnd();
      },
      onTransaction: routed.transaction,
      // Without new records there is no settlement that could end the reported wait.
      onRebalanced: (partitions) => {
        routed.rebalanced(partitions.length);
        waiting.forget();
        reportWait();
      },
      onTakenOver: (partition) => {
        waitsOf(partition, undefined);
      },
    });
    await source.consume(router, {
      until: 'aborted',
      signal,
      settled: ({ settlements, blocked }, partition) => {
        for (const { event } of settlements) routed.settled(event);
        routed.blocked(
          partition,
          blocked !== undefined && blocksByItself(blocked) ? blocked.offset : undefined,
        );
        waitsOf(
          partition,
          blocked && { error: blocked.error, ...placeOf(blocked, { log: log.name, partition }) },
          settlements.length > 0,
        );
      },
    });
  } finally {
    await log.close();
    await consents.close();
    buckets.close();
  }
}

/**
 * The record at which routing waits, and its trace id: the second part of a `traceparent` (W3C
 * Trace Context §3.2.2).
 */
function placeOf(
  { offset, traceparent }: Blocked,
  { log, partition }: { readonly log: string; readonly partition: number },
): Omit<WaitsFor, 'error'> {
  const trace = traceparent?.split('-')[1];
  return {
    position: formatPosition({ log, topic: TOPICS.samples, partition, offset }),
    ...defined({ trace }),
  };
}
