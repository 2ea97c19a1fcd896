import { demandTopics, openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentProjection } from '@residency/adapter-redis';
import { codeOf, remedyOf } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import { Health, comeUp, startOperations } from '@residency/operations';
import type { Service } from '@residency/operations';
import { createMetrics } from '@residency/telemetry';
import type { Logger } from '@residency/telemetry';
import type { ProjectorSettings } from './config.ts';
import type { ConsentSource } from './ports/consent-source.ts';
import { project } from './project.ts';
import { tickUntil } from './tick.ts';

export interface ProjectorService extends Service {
  /** Of probes and metrics. */
  readonly url: string;
}

export interface ProjectorDeps {
  readonly settings: ProjectorSettings;
  readonly logger: Logger;
  readonly version: string;
  readonly now: () => number;
}

/** DESIGN §3 "Watermarks". */
const TICK_MS = 250;

/** Projects the consent log into Redis and ticks both logs. Any number may run: the projection moves for one at a time. */
export async function startProjector(deps: ProjectorDeps, told: AbortSignal): Promise<ProjectorService> {
  const health = new Health('projecting');
  const metrics = createMetrics({ version: deps.version, regions: [] });
  const stopping = new AbortController();
  const stop = (): void => { stopping.abort(); };
  told.addEventListener('abort', stop, { once: true });
  const { host, port } = deps.settings.http;
  const operations = await startOperations({ host, port, live: () => health.live, ready: () => health.readiness(), metrics: () => metrics.render() });
  const ended = projectUntil(stopping, deps, health);
  ended.catch(() => { health.failed(); });
  return {
    url: operations.url,
    ended,
    stop: async () => {
      health.stopping();
      stop();
      await ended.catch(() => undefined);
      await operations.close();
    },
  };
}

async function projectUntil(stopping: AbortController, { settings, logger, now }: ProjectorDeps, health: Health): Promise<void> {
  const { signal } = stopping;
  const waits = (error: unknown): void => { if (health.waits(codeOf(error))) logger.warn('The projector waits.', { error }); };
  const kafka = { ...settings.kafka, clientId: 'residency-consent-projector' };
  let log: KafkaLog | undefined;
  let projection: RedisConsentProjection | undefined;
  try {
    const opened = log = await comeUp(() => openKafkaLog(kafka, logger), { signal, waits });
    await comeUp(() => demandTopics(kafka, logger), { signal, waits });
    const view = projection = new RedisConsentProjection(settings.redis);
    await comeUp(() => view.demandNoEviction(), { signal, waits });
    waits(undefined);
    health.started();
    const projecting = project({
      source: consentSource(opened), projection: view, signal,
      diagnostics: { info: (...said) => { logger.info(...said); }, warn: (message, fields) => { if (remedyOf(fields?.error) === 'retry') waits(fields?.error); else logger.warn(message, fields); }, error: (...said) => { logger.error(...said); } },
      onProgress: () => { waits(undefined); },
      appendTimeMarginMs: settings.routing.watermarkMarginMs,
    });
    // Whichever fails ends the other.
    await Promise.all([projecting, tickUntil({ tick: () => opened.tick(now()), everyMs: TICK_MS, signal, waits })].map((work) => work.catch((error: unknown) => {
      stopping.abort();
      throw error;
    })));
  } catch (error) {
    if (!(signal.aborted && remedyOf(error) === 'retry')) throw error;
  } finally {
    await projection?.close();
    await log?.close();
  }
}

function consentSource(log: KafkaLog): ConsentSource {
  return {
    log: log.name,
    batches: (from, signal) => log.readBatches(TOPICS.consents, { ...(from === undefined ? {} : { from: new Map([[0, from]]) }), until: 'aborted', signal }),
    end: async () => (await log.ends(TOPICS.consents)).get(0) ?? 0n,
  };
}
