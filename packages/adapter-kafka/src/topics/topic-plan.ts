import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';

export interface TopicPlanOptions {
  /** Of the intake log, its audit log and its quarantine: an audit event stands in the partition of its record's number. */
  readonly partitions: number;
  readonly replicationFactor: number;
  /** How long the intake log holds samples, milliseconds. Default 7 days. Quarantined ones are shown and redriven from there, no longer. */
  readonly retentionMs?: number;
  /** Copies an append waits for. Default: 2 of 3 or more, else 1. */
  readonly minInsyncReplicas?: number;
}

/** How a topic's setting is to be: exactly so, or a number no less, or no more. */
export interface StatedSetting {
  readonly name: string;
  readonly value: string;
  readonly rule: 'is' | 'at least' | 'at most';
}

export interface PlannedTopic {
  readonly topic: Topic;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly settings: readonly StatedSetting[];
}

const MiB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const FOR_EVER = '-1';

const is = (name: string, value: string): StatedSetting => ({ name, value, rule: 'is' });
const atLeast = (name: string, value: number): StatedSetting => ({
  name,
  value: String(value),
  rule: 'at least',
});
const atMost = (name: string, value: number): StatedSetting => ({
  name,
  value: String(value),
  rule: 'at most',
});

/** Of every topic. A decision's T is an append time; whatever codec a publisher compresses with, the broker unfolds, so that one can not choose what no reader reads. */
const EVERY: readonly StatedSetting[] = [
  is('message.timestamp.type', 'LogAppendTime'),
  is('compression.type', 'uncompressed'),
  is('unclean.leader.election.enable', 'false'),
];
const KEPT = is('cleanup.policy', 'delete');
const COMPACTED = is('cleanup.policy', 'compact');
/** Ticks: without it a view would read a week of them when it starts. */
const OFTEN: readonly StatedSetting[] = [
  atMost('segment.ms', HOUR_MS),
  atMost('max.compaction.lag.ms', HOUR_MS),
];

/** All topics and the settings they must have. What a setting does not say is the cluster's or the operator's. */
export function topicPlan({
  partitions,
  replicationFactor,
  retentionMs = WEEK_MS,
  minInsyncReplicas = insyncReplicas(replicationFactor),
}: TopicPlanOptions): readonly PlannedTopic[] {
  const topic = (name: Topic, count: number, settings: readonly StatedSetting[]): PlannedTopic => ({
    topic: name,
    partitions: count,
    replicationFactor,
    settings: [...EVERY, atLeast('min.insync.replicas', minInsyncReplicas), ...settings],
  });
  return [
    topic(TOPICS.samples, partitions, [
      KEPT,
      atLeast('retention.ms', retentionMs),
      is('retention.bytes', FOR_EVER),
      atLeast('max.message.bytes', 25 * MiB),
    ]),
    topic(TOPICS.audit, partitions, [
      KEPT,
      is('retention.ms', FOR_EVER),
      is('retention.bytes', FOR_EVER),
      atLeast('max.message.bytes', 4 * MiB),
    ]),
    topic(TOPICS.quarantine, partitions, [
      KEPT,
      atLeast('retention.ms', retentionMs),
      is('retention.bytes', FOR_EVER),
    ]),
    topic(TOPICS.consents, 1, [COMPACTED, ...OFTEN]),
    topic(TOPICS.subjects, 1, [COMPACTED]),
    topic(TOPICS.policy, 1, [COMPACTED, ...OFTEN]),
    topic(TOPICS.control, 1, [COMPACTED]),
  ];
}

/** Fewer than two copies of an acknowledged record are lost with one broker. */
export function insyncReplicas(replicationFactor: number): number {
  return replicationFactor >= 3 ? 2 : 1;
}
