import { TOPICS, decodeAuditEvent, decodeQuarantinePointer } from '@residency/contracts';
import type {
  AuditEvent,
  NewRecord,
  Position,
  QuarantinePointer,
  Topic,
} from '@residency/contracts';
import { openKafkaLog } from '../../src/kafka-log.ts';
import type { KafkaLog } from '../../src/kafka-log.ts';
import type { KafkaSettings } from '../../src/kafka-settings.ts';
import type { KafkaSubmissionLogOptions } from '../../src/submission-log/options.ts';
import { SILENT, someKafka } from '../some-kafka.ts';
import type { SomeKafka } from '../some-kafka.ts';

/** Time-outs a test can wait for. */
export const SHORT: Partial<KafkaSubmissionLogOptions> = {
  sessionTimeoutMs: 3_000,
  transactionTimeoutMs: 2_000,
  heartbeatIntervalMs: 300,
  stallMs: 60_000,
  backOff: { firstMs: 20, mostMs: 500 },
};

export interface SomeIntake extends SomeKafka {
  readonly publish: (records: readonly NewRecord[]) => Promise<Position[]>;
  /** As a process that just started has it; closed with the others. */
  readonly openLog: () => Promise<KafkaLog>;
  readonly auditEvents: () => Promise<AuditEvent[]>;
  readonly quarantinePointers: () => Promise<QuarantinePointer[]>;
  /** The last settled offset by partition. */
  readonly settled: () => Promise<ReadonlyMap<number, bigint>>;
}

/** An intake log of its own on the shared cluster. */
export async function someIntake({
  partitions = 2,
  regions = [],
}: {
  readonly partitions?: number;
  readonly regions?: readonly string[];
} = {}): Promise<SomeIntake> {
  const some = await someKafka({ partitions, regions });
  const { log, settings } = some;
  const opened: KafkaLog[] = [];
  return {
    ...some,
    publish: async (records) =>
      await log.append(records.map((record) => ({ topic: TOPICS.samples, record }))),
    openLog: async () => {
      const other = await openKafkaLog(settings, SILENT);
      opened.push(other);
      return other;
    },
    ...visible(log),
    close: async () => {
      await Promise.all(
        opened.map(async (other) => {
          await other.close();
        }),
      );
      await some.close();
    },
  };
}

/**
 * What readers see, once what was committed before the call is decided: `read` waits for open
 * transactions.
 */
export function visible(
  log: KafkaLog,
): Pick<SomeIntake, 'auditEvents' | 'quarantinePointers' | 'settled'> {
  return {
    auditEvents: async () =>
      (await values(log, TOPICS.audit)).map((value) => decodeAuditEvent(value)),
    quarantinePointers: async () =>
      (await values(log, TOPICS.quarantine)).map((value) => decodeQuarantinePointer(value)),
    settled: async () =>
      new Map([...(await log.committed())].map(([partition, next]) => [partition, next - 1n])),
  };
}

async function values(log: KafkaLog, topic: Topic): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const { value } of log.read(topic, { until: 'end' }))
    if (value !== null) found.push(value);
  return found;
}

/** For children: what `openKafkaLog` needs, on one line. */
export function asArgument(settings: KafkaSettings): string {
  return JSON.stringify(settings);
}
