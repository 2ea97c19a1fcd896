import { randomBytes } from 'node:crypto';
import { createTopics, openKafkaLog, topicPlan } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { createLogger } from '@residency/telemetry';
import { auditPartition, describeLedgerSource } from '@residency/testkit';
import { sharedKafka } from '../../../test/stack/index.ts';
import { KafkaLedgerSource } from '../src/kafka-ledger-source.ts';

const KEYS = { 0: 'key-1', 1: 'key-0' } as const;
const logger = createLogger({ level: 'silent' });

describeLedgerSource('KafkaLedgerSource', async () => {
  const { brokers } = await sharedKafka();
  const settings = {
    brokers,
    clientId: 'test',
    log: 'log-1',
    topicPrefix: `${randomBytes(6).toString('hex')}.`,
  };
  const log = await openKafkaLog(settings, logger);
  await createTopics(settings, logger, topicPlan({ partitions: 2, replicationFactor: 1 }));
  /** Of two partitions the usual partitioner gives each key one; the answer says so. */
  const append = async (
    partition: keyof typeof KEYS,
    values: readonly (Buffer | null)[],
  ): Promise<void> => {
    const positions = await log.append(
      values.map((value) => ({
        topic: TOPICS.audit,
        record: { key: Buffer.from(KEYS[partition]), headers: [], value },
      })),
    );
    if (positions.some((position) => position.partition !== partition))
      throw new Error('Expected the key to lead to its partition, found that it does not.');
  };
  await append(1, [Buffer.from('of the other partition')]);
  return {
    open: () => new KafkaLedgerSource(log, auditPartition()),
    append: (values) => append(0, values),
    close: () => log.close(),
  };
});
