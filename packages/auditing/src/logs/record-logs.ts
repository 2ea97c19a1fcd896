import { TOPICS } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';

const TOPICS_OF_RECORDS = [TOPICS.policy, TOPICS.control, TOPICS.consents] as const;
export type RecordTopic = (typeof TOPICS_OF_RECORDS)[number];

/** The logs in which append time decides. Each has one partition. */
export const RECORD_LOGS: readonly (TopicPartition & { readonly topic: RecordTopic })[] =
  TOPICS_OF_RECORDS.map((topic) => ({ topic, partition: 0 }));

export function isRecordLog(topic: string): topic is RecordTopic {
  return TOPICS_OF_RECORDS.some((one) => one === topic);
}
