import { openServiceLog } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { INITIAL_CONTROL, TOPICS } from '@residency/contracts';
import { runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import type { Logger, Metrics } from '@residency/telemetry';
import { retryUntilReady } from '@residency/waiting';
import type { IntakeSettings } from './config.ts';
import { IntakeError } from './intake-error.ts';
import type { EventAppender } from './ports/event-appender.ts';
import { RecentOutcomes } from './recent-outcomes.ts';
import { INTAKE_ROUTES, startIntake } from './start-intake.ts';

export interface IntakeServiceDeps {
  readonly settings: IntakeSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** The time for which the audit log is read back for `GET /submissions/{id}`. */
const WINDOW_MS = 60 * 60 * 1_000;

/**
 * The intake in front of a cluster. It appends to Kafka, and follows the audit log for outcomes.
 * Until Kafka is reached it answers 503.
 */
export async function startIntakeService(deps: IntakeServiceDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  const consents = new RedisConsentView(settings.redis);
  const front = new Front();
  const { answered } = metrics.http(INTAKE_ROUTES);
  return await runWork({
    name: 'following the audit log',
    http: settings.http,
    logger,
    metrics,
    serve: (operations) =>
      startIntake({
        ...settings.http,
        operations,
        answered,
        appender: front,
        status: front.outcomes,
        consents: {
          history: async (consentId) =>
            (await consents.read([consentId])).histories.get(consentId) ?? [],
        },
        draining: () => front.draining,
        log: {
          error: (fields, message) => {
            logger.error(message, fields);
          },
        },
      }),
    work: (context) => follow(deps, context, front),
    close: async () => {
      await front.log?.close();
      await consents.close();
    },
  });
}

/** The dependencies of the routes. */
class Front implements EventAppender {
  /** Absent until Kafka is reached. */
  log?: KafkaLog;
  draining = false;
  readonly outcomes = new RecentOutcomes();

  async append(
    entries: Parameters<EventAppender['append']>[0],
  ): ReturnType<EventAppender['append']> {
    if (this.log === undefined)
      throw new IntakeError({
        code: 'INTAKE_STARTING',
        remedy: 'retry',
        message:
          'Expected the intake to have reached Kafka, found it still starting. Send it again.',
      });
    const positions = await this.log.append(entries);
    for (const { submission } of entries)
      if (submission !== undefined) this.outcomes.appended(submission);
    return positions;
  }
}

/**
 * Follows the audit log until the signal is aborted. After a lost connection it continues where it
 * was.
 */
async function follow(
  { settings, logger, metrics, now }: IntakeServiceDeps,
  { signal, waits, started }: WorkContext,
  front: Front,
): Promise<void> {
  const control = metrics.control();
  control.is(INITIAL_CONTROL);
  const { log } = await openServiceLog({
    service: 'intake',
    kafka: settings.kafka,
    logger,
    signal,
    waits,
    onControl: (state) => {
      front.draining = state.mode === 'draining';
      control.is(state);
    },
  });
  // The service closes it after its last request.
  front.log = log;
  waits(undefined);
  started();
  const since = now() - WINDOW_MS;
  const seen = new Map<number, bigint>();
  await retryUntilReady(
    async () => {
      // Reads to the end first, so that the recovery of Kafka is noticed without waiting for the
      // next event.
      for (const until of ['end', 'aborted'] as const) {
        for await (const { partition, offset, value } of log.read(TOPICS.audit, {
          from: seen.size === 0 ? { at: since } : seen,
          until,
          signal,
        })) {
          seen.set(partition, offset + 1n);
          if (value !== null) front.outcomes.observe(value);
        }
        waits(undefined);
      }
    },
    { signal, waits },
  );
}
