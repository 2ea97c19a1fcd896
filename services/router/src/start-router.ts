import { KeyDirectory } from '@residency/adapter-filesystem';
import { demandTopics, openKafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3Sites } from '@residency/adapter-s3';
import { DEFAULT_LIMITS, TOPICS, formatPosition, logLevelOf } from '@residency/contracts';
import { comeUp, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import { policyInForce } from '@residency/residency';
import { createRouter, pausable, verifyRegions } from '@residency/routing';
import type { Blocked, PolicyView } from '@residency/routing';
import { EncryptionSdkSealer } from '@residency/sealing';
import type { Logger, Metrics, SeenViews } from '@residency/telemetry';
import type { RouterSettings } from './config.ts';
import { Waiting } from './waiting.ts';
import type { WaitsFor } from './waiting.ts';

export interface RouterDeps {
  readonly settings: RouterSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Routing begins once cluster, keys, sites and views are what they must be. */
export async function startRouter(deps: RouterDeps): Promise<RunningWork> {
  const {
    settings: { http },
    logger,
    metrics,
  } = deps;
  return await runWork({
    name: 'routing',
    http,
    logger,
    metrics,
    work: (context) => route(deps, context),
  });
}

/** Twice what a projector that is made anew needs. */
const VIEW_PATIENCE_MS = 10_000;

async function route(
  { settings, logger, metrics }: RouterDeps,
  { signal, waits, started }: WorkContext,
): Promise<void> {
  const routed = metrics.routing([...new Set(settings.sites.map(({ region }) => region))]);
  const { requested: onRequest } = metrics.requests(settings.sites.map(({ site }) => site));
  const control = metrics.control();
  const kafka = { ...settings.kafka, clientId: 'residency-router' };
  const log = await comeUp(() => openKafkaLog(kafka, logger), { signal, waits });
  const consents = new RedisConsentView(settings.redis);
  const sites = new S3Sites(settings.sites, { onRequest });
  const policies = log.policyView();
  metrics.views(() => seen(policies));
  const orders = log.controlView((state) => {
    logger.setLevel(logLevelOf(state, 'router'));
    control.is(state.mode);
  });
  try {
    const keys = new KeyDirectory(settings.keys.directory);
    await comeUp(() => demandTopics(kafka, logger), { signal, waits });
    await comeUp(() => consents.demandNoEviction(), { signal, waits });
    await comeUp(
      async () => {
        await orders.read();
        await verifyRegions((await policies.read()).versions, { sites, keys });
      },
      { signal, waits },
    );
    waits(undefined);
    started();
    const { inFlightBytes, watermarkMarginMs, ...batches } = settings.routing;
    const router = createRouter({
      limits: { ...DEFAULT_LIMITS, inFlightBytes },
      sealer: new EncryptionSdkSealer(keys),
      sites,
      consents,
      policies,
      watermarkMarginMs,
      onStage: routed.stage,
    });
    const waiting = new Waiting(VIEW_PATIENCE_MS, () => performance.now());
    const tell = (): void => {
      const { error, position, trace } = waiting.news ?? {};
      waits(error, { position, trace });
    };
    const waitsOf = (
      partition: number | undefined,
      what: WaitsFor | undefined,
      moved?: boolean,
    ): void => {
      waiting.on(partition, what, moved);
      tell();
    };
    const source = log.submissionLog({
      ...batches,
      onRetry: (error, partition) => {
        waitsOf(partition, { error });
      },
      onTransaction: routed.transaction,
      // Where nothing is published nothing settles that could say that it goes on.
      onRebalanced: (partitions) => {
        routed.rebalanced(partitions.length);
        waiting.forget();
        tell();
      },
      onTakenOver: (partition) => {
        waitsOf(partition, undefined);
      },
    });
    await source.consume(pausable(router, orders), {
      until: 'aborted',
      signal,
      settled: ({ settlements, blocked }, partition) => {
        for (const { event } of settlements) routed.settled(event);
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
    sites.close();
  }
}

/** The record that is waited at, and its trace: the second part of a `traceparent` (W3C Trace Context §3.2.2). */
function placeOf(
  { offset, traceparent }: Blocked,
  { log, partition }: { readonly log: string; readonly partition: number },
): Omit<WaitsFor, 'error'> {
  const trace = traceparent?.split('-')[1];
  return {
    position: formatPosition({ log, topic: TOPICS.samples, partition, offset }),
    ...(trace === undefined ? {} : { trace }),
  };
}

/** Of the policies only: the consents' watermark is Redis's, and the exporter's to tell. */
async function seen(policies: PolicyView): Promise<SeenViews> {
  const { watermark, versions } = await policies.read();
  const inForce = policyInForce(versions, watermark);
  return {
    policyWatermark: watermark,
    ...(inForce === undefined
      ? {}
      : { inForce: { policy: inForce.document.id, version: inForce.document.version } }),
  };
}
