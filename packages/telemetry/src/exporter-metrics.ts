import { QUARANTINE_REASONS } from '@residency/contracts';
import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';

/** A partition of the intake log and what became of its records. Offsets: below 2^53, as every number of Prometheus. */
export interface IntakePartition {
  readonly partition: number;
  /** The first offset there is, and the next record's. */
  readonly start: bigint;
  readonly end: bigint;
  /** The committed position; absent: none. */
  readonly committed?: bigint;
  /** The first offset that is not settled, whatever says so. */
  readonly next: bigint;
  /** Of the first record that is there for readers and not settled, milliseconds; absent: none. */
  readonly oldestAt?: number;
}

export interface QuarantineNow {
  readonly byReason: ReadonlyMap<string, number>;
  /** Of the oldest one, milliseconds; absent where there is none. */
  readonly oldestAt?: number;
  /** Since the start. */
  readonly expired: number;
}

/** Offsets and retention; the consent view; the policy and the control log; the audit log, as far as the quarantine goes. */
export const EXPORTED_SOURCES = ['kafka', 'redis', 'policy', 'control', 'quarantine'] as const;
export type ExportedSource = (typeof EXPORTED_SOURCES)[number];

export interface ExporterMetrics {
  /** `undefined`: it can not be told now, and nothing old is shown for it. */
  intake(
    names: { readonly group: string; readonly topic: string },
    partitions: readonly IntakePartition[] | undefined,
  ): void;
  /** The first offset and the end of another topic's partitions. */
  topic(
    topic: string,
    partitions: readonly Pick<IntakePartition, 'partition' | 'start' | 'end'>[],
  ): void;
  quarantine(now: QuarantineNow | undefined): void;
  /** `Infinity`: for ever. */
  retention(milliseconds: number | undefined): void;
  consentHalted(halted: boolean | undefined): void;
  policyVersions(count: number | undefined): void;
  /** A source was read just now. */
  read(source: ExportedSource): void;
}

export function exporterMetrics(make: Instruments, now: () => number): ExporterMetrics {
  const lag = make.gauge('kafka_consumergroup_lag');
  const current = make.gauge('kafka_consumergroup_current_offset');
  const end = make.gauge('kafka_topic_partition_current_offset');
  const oldest = make.gauge('kafka_topic_partition_oldest_offset');
  const unsettled = make.gauge('residency_oldest_unsettled_age_seconds');
  const lost = make.gauge('residency_progress_lost');
  const success = make.gauge('residency_exporter_last_success_timestamp_seconds');
  const halted = make.gauge('residency_consent_view_halted');
  const versions = make.gauge('residency_policy_versions');
  const retained = make.gauge('residency_intake_retention_seconds');
  const topic: ExporterMetrics['topic'] = (name, partitions) => {
    for (const { partition, start, end: next } of partitions) {
      end.set({ topic: name, partition }, Number(next));
      oldest.set({ topic: name, partition }, Number(start));
    }
  };
  let retention: number | undefined;
  // An alert compares it with now: absent, it would hide a source that was never read.
  for (const source of EXPORTED_SOURCES) success.set({ source }, 0);
  // One without labels stands there as 0 from the start: it would say that something was read.
  for (const gauge of [halted, versions, retained]) gauge.remove();
  return {
    topic,
    intake: (names, partitions) => {
      for (const gauge of [lag, current, unsettled, lost, end, oldest]) gauge.reset();
      if (partitions === undefined) return;
      topic(names.topic, partitions);
      for (const { partition, start, end: after, committed, next, oldestAt } of partitions) {
        const labels = { consumergroup: names.group, topic: names.topic, partition };
        lag.set(labels, Number(after > next ? after - next : 0n));
        if (committed !== undefined) current.set(labels, Number(committed));
        lost.set({ partition }, next < start || next > after ? 1 : 0);
        unsettled.set(
          { partition },
          oldestAt === undefined ? 0 : Math.max(0, now() - oldestAt) / 1_000,
        );
      }
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
  // As old as it is when it is asked for.
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
