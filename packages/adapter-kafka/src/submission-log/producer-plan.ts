import { TOPICS } from '@residency/contracts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { routerGroup, topicName } from '../topic-name.ts';
import type { ProducerPlan } from './transactional-producer.ts';

/** How everybody who settles this intake partition opens its producer, so that the latest one fences. */
export function producerPlan(
  { topicPrefix }: Pick<KafkaSettings, 'topicPrefix'>,
  partition: number,
  {
    transactionTimeoutMs,
    quarantinePartitions,
  }: Pick<ProducerPlan, 'transactionTimeoutMs'> & {
    /** The number of partitions of the quarantine topic. */
    readonly quarantinePartitions: number;
  },
): ProducerPlan {
  const group = routerGroup(topicPrefix);
  return {
    transactionalId: `${group}-${TOPICS.samples}-${partition}`,
    transactionTimeoutMs,
    progress: { group, topic: topicName(topicPrefix, TOPICS.samples), partition },
    target: (topic) => ({
      topic: topicName(topicPrefix, topic),
      partition: topic === TOPICS.quarantine ? partition % quarantinePartitions : partition,
    }),
  };
}
