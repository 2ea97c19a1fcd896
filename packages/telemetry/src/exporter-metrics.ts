import { QUARANTINE_REASONS, TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { isLost, unsettledIn } from '@residency/observation';
import type {
  AppendTimeLead,
  OpenTransaction,
  PartitionFacts,
  TopicIdentity,
} from '@residency/observation';
import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';
import { unsettledAge } from './unsettled-age.ts';

/** The names of group and topics on the cluster. */
export interface ClusterNames {
  readonly group: string;
  readonly nameOf: (topic: Topic) => string;
}

export interface QuarantineNow {
  readonly byReason: ReadonlyMap<string, number>;
  /** Append time of the oldest record, milliseconds; absent: there is none. */
  readonly oldestAt?: number;
  /** The number since the start. */
  readonly expired: number;
}

/**
 * `kafka`: offsets and retention. `redis`: the consent view. `policy`, `control`: those logs.
 * `quarantine`: the audit log.
 */
export const EXPORTED_SOURCES = ['kafka', 'redis', 'policy', 'control', 'quarantine'] as const;
export type ExportedSource = (typeof EXPORTED_SOURCES)[number];

/** `undefined`: unknown now. No old value is shown for it. */
export interface ExporterMetrics {
  /** Of the intake log. Offsets: below 2^53, as every number of Prometheus. */
  intake(partitions: readonly PartitionFacts[] | undefined): void;
  undecided(transactions: readonly OpenTransaction[] | undefined): void;
  identity(topics: readonly TopicIdentity[] | undefined): void;
  clocks(leads: readonly AppendTimeLead[] | undefined): void;
  /** The first offset and the end of another topic's partitions. */
  topic(
    topic: Topic,
    partitions: readonly Pick<PartitionFacts, 'partition' | 'start' | 'end'>[],
  ): void;
  quarantine(now: QuarantineNow | undefined): void;
  /** `Infinity`: for ever. */
  retention(milliseconds: number | undefined): void;
  consentHalted(halted: boolean | undefined): void;
  policyVersions(count: number | undefined): void;
  /** A source was read just now. */
  read(source: ExportedSource): void;
}

export function exporterMetrics(
  make: Instruments,
  { group, nameOf }: ClusterNames,
  now: () => number,
): ExporterMetrics {
  const lag = make.gauge('kafka_consumergroup_lag');
  const current = make.gauge('kafka_consumergroup_current_offset');
  const end = make.gauge('kafka_topic_partition_current_offset');
  const oldest = make.gauge('kafka_topic_partition_oldest_offset');
  const unsettled = unsettledAge(make, now);
  const lost = make.gauge('residency_progress_lost');
  const open = make.gauge('residency_undecided_age_seconds');
  const replaced = make.gauge('residency_log_replaced');
  const ahead = make.gauge('residency_append_time_ahead_seconds');
  const success = make.gauge('residency_exporter_last_success_timestamp_seconds');
  const halted = make.gauge('residency_consent_view_halted');
  const versions = make.gauge('residency_policy_versions');
  const retained = make.gauge('residency_intake_retention_seconds');
  const topic: ExporterMetrics['topic'] = (name, partitions) => {
    for (const { partition, start, end: next } of partitions) {
      end.set({ topic: nameOf(name), partition }, Number(next));
      oldest.set({ topic: nameOf(name), partition }, Number(start));
    }
  };
  let retention: number | undefined;
  // An alert compares this value with the current time. If it were absent, a source that was never
  // read would not be noticed.
  for (const source of EXPORTED_SOURCES) success.set({ source }, 0);
  // A gauge without labels is 0 from the start, which would mean that something was read.
  for (const gauge of [halted, versions, retained]) gauge.remove();
  return {
    topic,
    intake: (partitions) => {
      for (const gauge of [lag, current, lost, end, oldest]) gauge.reset();
      unsettled(partitions);
      topic(TOPICS.samples, partitions ?? []);
      for (const facts of partitions ?? []) {
        const { partition, committed } = facts;
        const labels = { consumergroup: group, topic: nameOf(TOPICS.samples), partition };
        lag.set(labels, Number(unsettledIn(facts)));
        if (committed !== undefined) current.set(labels, Number(committed));
        lost.set({ partition }, isLost(facts) ? 1 : 0);
      }
    },
    undecided: (transactions) => {
      open.reset();
      for (const { topic: name, partition, since } of transactions ?? [])
        if (since !== undefined)
          open.set({ topic: nameOf(name), partition }, Math.max(0, now() - since) / 1_000);
    },
    identity: (topics) => {
      replaced.reset();
      for (const { topic: name, state } of topics ?? [])
        if (state !== 'unknown')
          replaced.set({ topic: nameOf(name) }, state === 'replaced' ? 1 : 0);
    },
    clocks: (leads) => {
      ahead.reset();
      for (const { topic: name, partition, aheadMs } of leads ?? [])
        ahead.set({ topic: nameOf(name), partition }, aheadMs / 1_000);
    },
    quarantine: quarantineMetrics(make, now, () => retention),
    retention: (milliseconds) => {
      retention = milliseconds;
      if (milliseconds === undefined) retained.remove();
      else retained.set(milliseconds / 1_000);
    },
    consentHalted: (value) => {
      if (value === undefined) halted.remove();
      else halted.set(value ? 1 : 0);
    },
    policyVersions: (count) => {
      if (count === undefined) versions.remove();
      else versions.set(count);
    },
    read: (source) => {
      success.set({ source }, now() / 1_000);
    },
  };
}

function quarantineMetrics(
  make: Instruments,
  now: () => number,
  retention: () => number | undefined,
): ExporterMetrics['quarantine'] {
  const records = make.gauge('residency_quarantine_records');
  const expired = make.counter('residency_quarantine_expired_total');
  let seen: QuarantineNow | undefined;
  // Its age is computed at each rendering.
  const age = make.gauge('residency_quarantine_oldest_age_seconds', () => {
    if (seen?.oldestAt === undefined) age.remove();
    else age.set(Math.max(0, now() - seen.oldestAt) / 1_000);
  });
  const left = make.gauge('residency_quarantine_time_left_seconds', () => {
    const kept = retention();
    if (seen?.oldestAt === undefined || kept === undefined) left.remove();
    else left.set((seen.oldestAt + kept - now()) / 1_000);
  });
  const reason = new BoundedLabel(QUARANTINE_REASONS);
  let counted = 0;
  return (found) => {
    seen = found;
    records.reset();
    if (found === undefined) return;
    for (const known of QUARANTINE_REASONS) records.set({ reason: known }, 0);
    for (const [name, count] of found.byReason) records.set({ reason: reason.value(name) }, count);
    expired.inc(Math.max(0, found.expired - counted));
    counted = Math.max(counted, found.expired);
  };
}
