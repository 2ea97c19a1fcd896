import { demandTopics, openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { codeOf, hasCode, remedyOf } from '@residency/coded-error';
import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import { Health, comeUp } from '@residency/operations';
import type { Service } from '@residency/operations';
import { createMetrics } from '@residency/telemetry';
import type { Logger } from '@residency/telemetry';
import type { IntakeSettings } from './config.ts';
import { RecentOutcomes } from './recent-outcomes.ts';
import { startIntake } from './start-intake.ts';
import type { Intake } from './start-intake.ts';

export interface IntakeService extends Service {
  readonly url: string;
}

export interface IntakeServiceDeps {
  readonly settings: IntakeSettings;
  readonly logger: Logger;
  readonly version: string;
  readonly now: () => number;
}

/** How far back the audit log is read for `GET /submissions/{id}`. */
const WINDOW_MS = 60 * 60 * 1_000;

/** The intake in front of a cluster: appends to Kafka, and follows the audit log to say what became of it. */
export async function startIntakeService({ settings, logger, version, now }: IntakeServiceDeps, told: AbortSignal): Promise<IntakeService> {
  const health = new Health('following the audit log');
  const metrics = createMetrics({ version, regions: [] });
  const waits = (error: unknown): void => { if (health.waits(codeOf(error))) logger.warn('The intake waits.', { error }); };
  const kafka = { ...settings.kafka, clientId: 'residency-intake' };
  const log = await comeUp(async () => {
    await demandTopics(kafka, logger);
    return await openKafkaLog(kafka, logger);
  }, { signal: told, waits });
  const consents = new RedisConsentView(settings.redis);
  const outcomes = new RecentOutcomes();
  const stopping = new AbortController();
  let intake: Intake;
  try {
    intake = await startIntake({
      ...settings.http,
      appender: {
        append: async (entries) => {
          const positions = await log.append(entries);
          for (const { submission } of entries) if (submission !== undefined) outcomes.appended(submission);
          return positions;
        },
      },
      status: outcomes,
      consents: { history: async (consentId) => (await consents.read([consentId])).histories.get(consentId) ?? [] },
      operations: { live: () => health.live, ready: () => health.readiness(), metrics: () => metrics.render() },
      log: { error: (fields, message) => { logger.error(message, fields); } },
    });
  } catch (error) {
    await Promise.all([consents.close(), log.close()]);
    throw error;
  }
  waits(undefined);
  health.started();
  const ended = follow(log, outcomes, now() - WINDOW_MS, { signal: stopping.signal, waits }).catch((error: unknown) => {
    health.failed();
    throw error;
  });
  ended.catch(() => undefined);
  return {
    url: intake.url,
    ended,
    stop: async () => {
      health.stopping();
      await intake.close();
      stopping.abort();
      await ended.catch(() => undefined);
      await Promise.all([consents.close(), log.close()]);
    },
  };
}

interface FollowTerms {
  readonly signal: AbortSignal;
  readonly waits: (error: unknown) => void;
}

/** Until it is aborted; a dropped connection begins again where it was. */
async function follow(log: KafkaLog, outcomes: RecentOutcomes, since: number, { signal, waits }: FollowTerms): Promise<void> {
  const seen = new Map<number, bigint>();
  await comeUp(async () => {
    for await (const { partition, offset, value } of log.read(TOPICS.audit, { from: seen.size === 0 ? { at: since } : seen, until: 'aborted', signal })) {
      seen.set(partition, offset + 1n);
      waits(undefined);
      if (value !== null) remember(outcomes, value);
    }
  }, { signal, waits }).catch((error: unknown) => {
    if (!signal.aborted || remedyOf(error) !== 'retry') throw error;
  });
}

/** What is no audit event was not written by a router: the reconciler's to find. */
function remember(outcomes: RecentOutcomes, value: Buffer): void {
  try {
    const { submission } = decodeAuditEvent(value).data;
    if (submission !== undefined) outcomes.settled(submission, value);
  } catch (error) {
    if (!hasCode(error, 'INVALID_AUDIT_EVENT')) throw error;
  }
}
