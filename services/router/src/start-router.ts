import { KeyDirectory } from '@residency/adapter-filesystem';
import { demandTopics, openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3Sites } from '@residency/adapter-s3';
import { codeOf, remedyOf } from '@residency/coded-error';
import { DEFAULT_LIMITS } from '@residency/contracts';
import { Health, comeUp, startOperations } from '@residency/operations';
import type { Service } from '@residency/operations';
import { createRouter, verifyRegions } from '@residency/routing';
import { EncryptionSdkSealer } from '@residency/sealing';
import { createMetrics } from '@residency/telemetry';
import type { Logger, Metrics } from '@residency/telemetry';
import type { RouterSettings } from './config.ts';
import { Waiting } from './waiting.ts';

export interface RouterService extends Service {
  /** Of probes and metrics. */
  readonly url: string;
}

export interface RouterDeps {
  readonly settings: RouterSettings;
  readonly logger: Logger;
  readonly version: string;
}

/** Probes answer from the start; routing begins once cluster, keys, sites and views are what they must be. */
export async function startRouter({ settings, logger, version }: RouterDeps, told: AbortSignal): Promise<RouterService> {
  const health = new Health('routing');
  const metrics = createMetrics({ version, regions: [...new Set(settings.sites.map(({ region }) => region))] });
  const stopping = new AbortController();
  const stop = (): void => { stopping.abort(); };
  told.addEventListener('abort', stop, { once: true });
  const operations = await startOperations({ ...settings.http, live: () => health.live, ready: () => health.readiness(), metrics: () => metrics.render() });
  const ended = routeUntil(stopping.signal, { settings, logger, metrics, health });
  ended.catch(() => { health.failed(); });
  return {
    url: operations.url,
    ended,
    stop: async () => {
      health.stopping();
      stop();
      // Whoever awaits `ended` hears of it.
      await ended.catch(() => undefined);
      await operations.close();
    },
  };
}

/** Twice what a projector that is made anew needs. */
const VIEW_PATIENCE_MS = 10_000;

interface Work {
  readonly settings: RouterSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

async function routeUntil(signal: AbortSignal, { settings, logger, metrics, health }: Work): Promise<void> {
  const waiting = new Waiting(VIEW_PATIENCE_MS, () => performance.now());
  const report = (): void => {
    const code = codeOf(waiting.error);
    if (health.waits(code)) logger.warn('Routing waits.', { error: waiting.error });
    metrics.blocked(code);
  };
  const waits = (error: unknown, partition?: number): void => {
    waiting.on(partition, error);
    report();
  };
  const kafka = { ...settings.kafka, clientId: 'residency-router' };
  const log = await comeUp(() => openKafkaLog(kafka, logger), { signal, waits });
  const consents = new RedisConsentView(settings.redis);
  const sites = new S3Sites(settings.sites);
  const policies = log.policyView();
  try {
    const keys = new KeyDirectory(settings.keys.directory);
    await comeUp(async () => {
      await demandTopics(kafka, logger);
      await consents.demandNoEviction();
      await verifyRegions((await policies.read()).versions, { sites, keys });
    }, { signal, waits });
    const { inFlightBytes, watermarkMarginMs, ...batches } = settings.routing;
    const route = createRouter({ limits: { ...DEFAULT_LIMITS, inFlightBytes }, sealer: new EncryptionSdkSealer(keys), sites, consents, policies, watermarkMarginMs });
    waits(undefined);
    health.started();
    const source = log.submissionLog({
      ...batches, onRetry: waits,
      // Where nothing is published nothing settles that could say so.
      onRebalanced: () => { waiting.forget(); report(); },
      onTakenOver: (partition) => { waits(undefined, partition); },
    });
    await source.consume(route, {
      until: 'aborted', signal,
      settled: ({ settlements, blocked }, partition) => {
        for (const { event } of settlements) metrics.settled(event);
        waiting.on(partition, blocked?.error, settlements.length > 0);
        report();
      },
    });
  } catch (error) {
    if (!(signal.aborted && remedyOf(error) === 'retry')) throw error;
  } finally {
    await close(log, consents, sites);
  }
}

async function close(log: KafkaLog, consents: RedisConsentView, sites: S3Sites): Promise<void> {
  await log.close();
  await consents.close();
  sites.close();
}
