import { TOPICS, custodyTopic } from '@residency/contracts';
import type { Topic } from '@residency/contracts';

export interface TopicPlanOptions {
  /**
   * The number of partitions of the intake log, its audit log and its quarantine. The event of a
   * record is in the audit partition with the record's partition number.
   */
  readonly partitions: number;
  readonly replicationFactor: number;
  /**
   * How long the intake log keeps samples, milliseconds. Default 7 days. Quarantined ones can be
   * shown and redriven that long.
   */
  readonly retentionMs?: number;
  /** The number of copies that an append waits for. Default: 2 of 3 or more, else 1. */
  readonly minInsyncReplicas?: number;
  /** The regions whose custody logs are planned too. Default: none. */
  readonly regions?: readonly string[];
}

/**
 * The required value of a topic's setting: exactly this, at least this number, or at most this
 * number.
 */
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

/**
 * Settings of every topic. Append time: a decision's T is an append time. Uncompressed: the broker
 * decompresses every codec, so a publisher cannot choose a codec that readers lack.
 */
const EVERY: readonly StatedSetting[] = [
  is('message.timestamp.type', 'LogAppendTime'),
  is('compression.type', 'uncompressed'),
  is('unclean.leader.election.enable', 'false'),
];
const KEPT = is('cleanup.policy', 'delete');
/** Settings of the logs that hold events, for ever. */
const EVENTS: readonly StatedSetting[] = [
  KEPT,
  is('retention.ms', FOR_EVER),
  is('retention.bytes', FOR_EVER),
  atLeast('max.message.bytes', 4 * MiB),
];
const COMPACTED = is('cleanup.policy', 'compact');
/**
 * Settings of topics with ticks: with the default segments a view would read a week of ticks at its
 * start. A record stays long enough for an auditor that was away to count it, also if a later one
 * repeats its key.
 */
const OFTEN: readonly StatedSetting[] = [
  atMost('segment.ms', HOUR_MS),
  atLeast('min.compaction.lag.ms', 6 * HOUR_MS),
  atMost('max.compaction.lag.ms', 7 * HOUR_MS),
];
/**
 * Of a topic without ticks: it has few records, so a week of them may stay uncompacted until every
 * auditor has counted them.
 */
const SELDOM: readonly StatedSetting[] = [atLeast('min.compaction.lag.ms', WEEK_MS)];

/**
 * All topics of a log, with the custody logs of `regions`, and the settings that they must have. The cluster or the operator decides about all
 * other settings.
 */
export function topicPlan({
  partitions,
  replicationFactor,
  retentionMs = WEEK_MS,
  minInsyncReplicas = insyncReplicas(replicationFactor),
  regions = [],
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
    topic(TOPICS.audit, partitions, EVENTS),
    topic(TOPICS.quarantine, partitions, [
      KEPT,
      atLeast('retention.ms', retentionMs),
      is('retention.bytes', FOR_EVER),
    ]),
    topic(TOPICS.consents, 1, [COMPACTED, ...OFTEN]),
    topic(TOPICS.subjects, 1, [COMPACTED]),
    topic(TOPICS.policy, 1, [COMPACTED, ...OFTEN]),
    topic(TOPICS.control, 1, [COMPACTED, ...SELDOM]),
    ...regions.map((region) => topic(custodyTopic(region), 1, EVENTS)),
  ];
}

/** With fewer than two copies, an acknowledged record is lost with one broker. */
export function insyncReplicas(replicationFactor: number): number {
  return replicationFactor >= 3 ? 2 : 1;
}
