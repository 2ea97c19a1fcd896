import { OldestUnsettled } from '@residency/adapter-kafka';
import type { IntakeProgress, KafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { ExporterMetrics, IntakePartition } from '@residency/telemetry';
import type { Source } from '../source.ts';

export type IntakeLog = Pick<KafkaLog, 'progress' | 'ahead' | 'starts' | 'ends' | 'retention'>;

export interface IntakeSourceDeps {
  readonly log: IntakeLog;
  /** As the cluster names them. */
  readonly group: string;
  readonly nameOf: (topic: Topic) => string;
  readonly metrics: ExporterMetrics;
}

/** Beside the intake log: what the routers append to. */
const OTHERS = [TOPICS.audit, TOPICS.quarantine];

/** Where the intake log stands and what of it is settled, whoever runs or does not. */
export function intakeSource({ log, group, nameOf, metrics }: IntakeSourceDeps): Source {
  const oldest = new OldestUnsettled((partition, offset) =>
    log.ahead(TOPICS.samples, partition, offset),
  );
  const names = { group, topic: nameOf(TOPICS.samples) };
  return {
    name: 'kafka',
    read: async () => {
      const partitions = await partitionsOf(await log.progress(), oldest);
      const retention = await log.retention(TOPICS.samples);
      const others: [string, Extent[]][] = [];
      for (const topic of OTHERS) others.push([nameOf(topic), await extentsOf(log, topic)]);
      return () => {
        metrics.intake(names, partitions);
        for (const [topic, extents] of others) metrics.topic(topic, extents);
        metrics.retention(retention);
      };
    },
    forget: () => {
      metrics.intake(names, undefined);
      metrics.retention(undefined);
    },
  };
}

/** One after the other: each may bring a batch of samples. */
async function partitionsOf(
  progress: readonly IntakeProgress[],
  oldest: OldestUnsettled,
): Promise<IntakePartition[]> {
  const partitions: IntakePartition[] = [];
  for (const one of progress) {
    const { at, settledUpTo } = await oldest.of(one);
    partitions.push({ ...one, next: settledUpTo, ...(at === undefined ? {} : { oldestAt: at }) });
  }
  return partitions;
}

type Extent = Pick<IntakePartition, 'partition' | 'start' | 'end'>;

async function extentsOf(log: IntakeLog, topic: Topic): Promise<Extent[]> {
  const starts = await log.starts(topic);
  const ends = await log.ends(topic);
  return [...ends].map(([partition, end]) => ({
    partition,
    start: starts.get(partition) ?? 0n,
    end,
  }));
}
