import { demandTopics, openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentProjection } from '@residency/adapter-redis';
import { remedyOf } from '@residency/coded-error';
import { TOPICS, logLevelOf } from '@residency/contracts';
import { allOrNone, comeUp, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import type { Logger, Metrics } from '@residency/telemetry';
import type { ProjectorSettings } from './config.ts';
import type { ConsentSource } from './ports/consent-source.ts';
import { project } from './project.ts';
import { tickUntil } from './tick.ts';

export interface ProjectorDeps {
  readonly settings: ProjectorSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** DESIGN §3 "Watermarks". */
const TICK_MS = 250;

/** Projects the consent log into Redis and ticks both logs. Any number may run: the projection moves for one at a time. */
export async function startProjector(deps: ProjectorDeps): Promise<RunningWork> {
  const {
    settings: { http },
    logger,
    metrics,
  } = deps;
  return await runWork({
    name: 'projecting',
    http,
    logger,
    metrics,
    work: (context) => projectUntil(deps, context),
  });
}

async function projectUntil(
  { settings, logger, metrics, now }: ProjectorDeps,
  { signal, waits, started }: WorkContext,
): Promise<void> {
  const counted = metrics.projecting();
  const kafka = { ...settings.kafka, clientId: 'residency-consent-projector' };
  let log: KafkaLog | undefined;
  let projection: RedisConsentProjection | undefined;
  try {
    const opened = (log = await comeUp(() => openKafkaLog(kafka, logger), { signal, waits }));
    await comeUp(() => demandTopics(kafka, logger), { signal, waits });
    opened.controlView((state) => {
      logger.setLevel(logLevelOf(state, 'consent-projector'));
    });
    const view = (projection = new RedisConsentProjection(settings.redis));
    await comeUp(() => view.demandNoEviction(), { signal, waits });
    waits(undefined);
    started();
    const projecting = async (together: AbortSignal): Promise<void> =>
      await project({
        source: consentSource(opened),
        projection: view,
        signal: together,
        diagnostics: {
          info: (...said) => {
            logger.info(...said);
          },
          warn: (message, fields) => {
            if (remedyOf(fields?.error) === 'retry') waits(fields?.error);
            else logger.warn(message, fields);
          },
          error: (...said) => {
            logger.error(...said);
          },
        },
        onProgress: ({ records, skipped }) => {
          waits(undefined);
          counted.moved(records, skipped);
        },
        appendTimeMarginMs: settings.routing.watermarkMarginMs,
      });
    const tick = async (): Promise<void> => {
      try {
        await opened.tick(now());
      } catch (error) {
        counted.ticked('failed');
        throw error;
      }
      counted.ticked('ok');
    };
    await allOrNone(signal, (together) => [
      projecting(together),
      tickUntil({ tick, everyMs: TICK_MS, signal: together, waits }),
    ]);
  } finally {
    await projection?.close();
    await log?.close();
  }
}

function consentSource(log: KafkaLog): ConsentSource {
  return {
    log: log.name,
    batches: (from, signal) =>
      log.readBatches(TOPICS.consents, {
        ...(from === undefined ? {} : { from: new Map([[0, from]]) }),
        until: 'aborted',
        signal,
      }),
    end: async () => (await log.ends(TOPICS.consents)).get(0) ?? 0n,
  };
}
