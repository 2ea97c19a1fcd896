import type { KafkaLog } from '@residency/adapter-kafka';
import { TOPICS, custodyTopic } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { IntakeObserver, PartitionFacts } from '@residency/observation';
import type { ExporterMetrics } from '@residency/telemetry';
import type { Source } from './source.ts';
import { factSource } from './fact-source.ts';

export type ExportedLog = Pick<KafkaLog, 'starts' | 'ends' | 'retention'>;

/** Beside the intake log: what the routers append to. */
const OTHERS = [TOPICS.audit, TOPICS.quarantine];

/**
 * The facts of the logs as metrics, whichever services run. `regions`: those of the policies, by now;
 * each has a custody log.
 */
export function intakeSource(
  log: ExportedLog,
  observer: IntakeObserver,
  metrics: ExporterMetrics,
  regions: () => readonly string[] = () => [],
): Source {
  return factSource(
    'kafka',
    async () => {
      const topics = await observer.topics();
      const { partitions, transactions } = await observer.intake();
      const clocks = await observer.appendTimes();
      const retention = await log.retention(TOPICS.samples);
      const others: [Topic, Extent[]][] = [];
      for (const topic of OTHERS) others.push([topic, await extentsOf(log, topic)]);
      for (const topic of regions().map((region) => custodyTopic(region)))
        // A region may have none yet: then its series are absent, and the other facts are not.
        others.push([topic, await extentsOf(log, topic).catch(() => [])]);
      return { topics, partitions, transactions, clocks, retention, others };
    },
    (facts) => {
      // Offsets of another topic say nothing about what was settled.
      const isForeign = facts?.topics.some(
        ({ topic, state }) => topic === TOPICS.samples && state === 'replaced',
      );
      metrics.intake(isForeign === true ? undefined : facts?.partitions);
      metrics.identity(facts?.topics);
      metrics.undecided(facts?.transactions);
      metrics.clocks(facts?.clocks);
      for (const [topic, extents] of facts?.others ?? []) metrics.topic(topic, extents);
      metrics.retention(facts?.retention);
    },
  );
}

type Extent = Pick<PartitionFacts, 'partition' | 'start' | 'end'>;

async function extentsOf(log: ExportedLog, topic: Topic): Promise<Extent[]> {
  const starts = await log.starts(topic);
  const ends = await log.ends(topic);
  return [...ends].map(([partition, end]) => ({
    partition,
    start: starts.get(partition) ?? 0n,
    end,
  }));
}
