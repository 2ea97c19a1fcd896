import { TOPICS } from '@residency/contracts';
import { describeAuditFeed } from '@residency/testkit';
import { topicName } from '../src/topic-name.ts';
import { someKafka } from './some-kafka.ts';

describeAuditFeed('KafkaAuditFeed', async () => {
  const { log, kafka, settings, close } = await someKafka({ partitions: 3 });
  const topic = topicName(settings.topicPrefix, TOPICS.audit);
  const producer = kafka.producer({
    transactionalId: `${settings.topicPrefix}settler`,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  /** In one transaction, as routers settle. */
  const settle = async (
    partition: number,
    values: readonly (Buffer | null)[],
    end: 'commit' | 'abort',
  ): Promise<void> => {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: values.map((value) => ({ partition, value })) });
    await transaction[end]();
  };
  return {
    partitions: [0, 1, 2],
    open: () => Promise.resolve(log.auditFeed()),
    append: async (partition, values) => {
      await settle(partition, values, 'commit');
    },
    appendInVain: async (partition, values) => {
      await settle(partition, values, 'abort');
    },
    close: async () => {
      await producer.disconnect();
      await close();
    },
  };
});
