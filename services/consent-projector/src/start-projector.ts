import { openServiceLog } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentProjection } from '@residency/adapter-redis';
import { remedyOf } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import { defined } from '@residency/defined';
import { runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import type { Logger, Metrics } from '@residency/telemetry';
import { allOrNone, retryUntilReady } from '@residency/waiting';
import type { ProjectorSettings } from './config.ts';
import { noticeEarlier } from './earlier-withdrawals.ts';
import { orderErasures } from './order-erasures.ts';
import type { ConsentSource } from './ports/consent-source.ts';
import { project } from './project.ts';
import type { ProjectOptions } from './project.ts';
import { tickUntil } from './tick.ts';

export interface ProjectorDeps {
  readonly settings: ProjectorSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** DESIGN §3 "Time". */
const TICK_MS = 250;

/**
 * Projects the consent log into Redis and appends ticks to both logs. Any number may run; each step
 * is applied by one of them.
 */
export async function startProjector(deps: ProjectorDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  return await runWork({
    name: 'projecting',
    http: settings.http,
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
  const { log, control } = await openServiceLog({
    service: 'consent-projector',
    kafka: settings.kafka,
    logger,
    signal,
    waits,
  });
  const projection = new RedisConsentProjection(settings.redis);
  try {
    await retryUntilReady(() => projection.requireNoEviction(), { signal, waits });
    waits(undefined);
    started();
    const source = consentSource(log);
    const onWithdrawn: ProjectOptions['onWithdrawn'] =
      settings.projecting.onWithdrawal === 'keep'
        ? undefined
        : async (withdrawals) => {
            await orderErasures(
              {
                erasures: async () => (await control.readToEnd()).erasures,
                append: (entries) => log.append(entries),
              },
              withdrawals,
            );
          };
    const earlier = async (together: AbortSignal): Promise<void> => {
      if (onWithdrawn === undefined) return;
      const from = { source, projection, signal: together, onWithdrawn };
      await retryUntilReady(() => noticeEarlier(from), { signal: together, waits });
    };
    const projecting = async (together: AbortSignal): Promise<void> =>
      await project({
        source,
        projection,
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
        ...defined({ onWithdrawn }),
        appendTimeMarginMs: settings.routing.watermarkMarginMs,
      });
    const tick = async (): Promise<void> => {
      try {
        await log.tick(now());
      } catch (error) {
        counted.ticked('failed');
        throw error;
      }
      counted.ticked('ok');
    };
    await allOrNone(signal, (together) => [
      projecting(together),
      earlier(together),
      tickUntil({ tick, everyMs: TICK_MS, signal: together, waits }),
    ]);
  } finally {
    await projection.close();
    await log.close();
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
    topicId: () => log.topicId(TOPICS.consents),
    end: async () => (await log.ends(TOPICS.consents)).get(0) ?? 0n,
  };
}
