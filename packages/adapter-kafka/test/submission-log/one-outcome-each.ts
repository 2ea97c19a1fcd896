import { TOPICS, decodeAuditEvent, formatPosition } from '@residency/contracts';
import type { Position, Topic } from '@residency/contracts';
import type { KafkaLog } from '../../src/kafka-log.ts';

/** What is wrong with what readers see; all lists empty: nothing. */
export interface Faults {
  /** Records of the intake log without an audit event. */
  readonly missing: readonly string[];
  /** Records with more than one. */
  readonly repeated: readonly string[];
  /** Audit events about records that are not there. */
  readonly invented: readonly string[];
  /**
   * Audit events in another partition than their record's, or whose `previous` is not the one
   * before.
   */
  readonly broken: readonly string[];
  /** Partitions whose committed position does not follow the last audit event. */
  readonly disagreeing: readonly number[];
}

export const NO_FAULTS: Faults = {
  missing: [],
  repeated: [],
  invented: [],
  broken: [],
  disagreeing: [],
};

/**
 * Promise 1 of DESIGN §2, judged from the topics alone: the intake log, the audit log and the
 * group's positions. Reads until everything that was committed when it was called is decided,
 * because a commit returns before its records are visible.
 */
export async function faultsOf(
  log: KafkaLog,
): Promise<{ readonly outcomes: number; readonly faults: Faults }> {
  const taken = await collect(log, TOPICS.samples, ({ partition, offset }) =>
    formatPosition({ log: log.name, topic: TOPICS.samples, partition, offset }),
  );
  const chains = new Map<number, bigint>();
  const broken: string[] = [];
  const settled = await collect(log, TOPICS.audit, ({ partition, value }) => {
    const { position, data } = decodeAuditEvent(value ?? Buffer.alloc(0));
    const before = chains.get(partition)?.toString() ?? null;
    if (position.partition !== partition || data.previous !== before)
      broken.push(`${formatPosition(position)} after ${String(before)}`);
    chains.set(partition, position.offset);
    return formatPosition(position);
  });
  const committed = await log.committed();
  const once = new Set(settled);
  const known = new Set(taken);
  return {
    outcomes: settled.length,
    faults: {
      missing: taken.filter((position) => !once.has(position)),
      repeated:
        settled.length === once.size
          ? []
          : settled.filter((position, index) => settled.indexOf(position) !== index),
      invented: settled.filter((position) => !known.has(position)),
      broken,
      disagreeing: [...new Set([...chains.keys(), ...committed.keys()])].filter(
        (partition) => committed.get(partition) !== (chains.get(partition) ?? -2n) + 1n,
      ),
    },
  };
}

async function collect(
  log: KafkaLog,
  topic: Topic,
  name: (
    record: { readonly value: Buffer | null } & Pick<Position, 'partition' | 'offset'>,
  ) => string,
): Promise<string[]> {
  const found: string[] = [];
  for await (const record of log.read(topic, { until: 'end' })) found.push(name(record));
  return found;
}
