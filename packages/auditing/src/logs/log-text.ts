import { TOPICS } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';

/** How messages call a log that has a ledger: `partition 3 of the audit log`. */
export function logText({ topic, partition }: TopicPartition): string {
  return `partition ${partition} of ${topic === TOPICS.audit ? 'the audit log' : topic}`;
}
