import { randomUUID } from 'node:crypto';
import type { NewRecord } from '@residency/contracts';
import { sharedKafka } from '../../../test/stack/index.ts';
import type { KafkaDiagnostics } from '../src/diagnostics.ts';
import { createKafka } from '../src/kafka-client.ts';
import { openKafkaLog } from '../src/kafka-log.ts';
import type { KafkaLog } from '../src/kafka-log.ts';
import type { KafkaSettings } from '../src/kafka-settings.ts';
import { createTopics } from '../src/topics/create-topics.ts';
import { topicPlan } from '../src/topics/topic-plan.ts';

export const SILENT: KafkaDiagnostics = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

/** Topics of their own on the shared cluster. */
export async function someSettings(overrides: Partial<KafkaSettings> = {}): Promise<KafkaSettings> {
  const { brokers } = await sharedKafka();
  return {
    brokers,
    clientId: 'test',
    log: 'log-1',
    topicPrefix: `t${randomUUID().slice(0, 8)}.`,
    ...overrides,
  };
}

export interface SomeKafka {
  readonly log: KafkaLog;
  readonly settings: KafkaSettings;
  /** The cluster by itself, for what a log does not do. */
  readonly kafka: ReturnType<typeof createKafka>;
  readonly close: () => Promise<void>;
}

export async function someKafka({
  partitions = 3,
  regions = [],
  diagnostics = SILENT,
}: {
  partitions?: number;
  regions?: readonly string[];
  diagnostics?: KafkaDiagnostics;
} = {}): Promise<SomeKafka> {
  const settings = await someSettings();
  await createTopics(settings, SILENT, topicPlan({ partitions, replicationFactor: 1, regions }));
  const log = await openKafkaLog(settings, diagnostics);
  return { log, settings, kafka: createKafka(settings, SILENT), close: () => log.close() };
}

/** Connected for the time of `work`. */
export async function asAdmin<T>(
  kafka: SomeKafka['kafka'],
  work: (admin: ReturnType<SomeKafka['kafka']['admin']>) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

export function text(content: string, key: string | null = null): NewRecord {
  return { key: key === null ? null : Buffer.from(key), headers: [], value: Buffer.from(content) };
}
