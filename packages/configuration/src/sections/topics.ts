import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

/** Settings with which `residency topics create` creates topics. */
export interface TopicsConfiguration {
  readonly partitions: number;
  readonly replicationFactor: number;
  /** The retention of the intake log, milliseconds. */
  readonly retentionMs: number;
}

export function readTopics(reader: EnvironmentReader): TopicsConfiguration | undefined {
  return complete({
    partitions: reader.get('RESIDENCY_TOPIC_PARTITIONS'),
    replicationFactor: reader.get('RESIDENCY_TOPIC_REPLICATION'),
    retentionMs: reader.get('RESIDENCY_TOPIC_RETENTION_MS'),
  });
}
