// Opens the custody log of Zurich, appends one event, and holds the next one's transaction open until
// it is killed.
import { custodyTopic } from '@residency/contracts';
import { someCustodyEvent } from '@residency/testkit';
import { createKafka } from '../../../src/kafka-client.ts';
import { custodianGroup, topicName } from '../../../src/topic-name.ts';
import { TransactionalProducer } from '../../../src/submission-log/transactional-producer.ts';
import type { KafkaSettings } from '../../../src/kafka-settings.ts';

const { settings } = JSON.parse(process.argv[2] ?? '') as { readonly settings: KafkaSettings };
const quiet = (): void => {
  /* Its lines say it. */
};
const say = (what: string): void => {
  process.stdout.write(`${JSON.stringify([what])}\n`);
};
const { topicPrefix } = settings;
const producer = await TransactionalProducer.open(
  createKafka(settings, { debug: quiet, info: quiet, warn: quiet, error: quiet }),
  {
    transactionalId: custodianGroup(topicPrefix, 'zurich'),
    transactionTimeoutMs: 60_000,
    target: (topic) => ({ topic: topicName(topicPrefix, topic), partition: 0 }),
  },
);
const one = (nth: number, beforeCommit: () => Promise<void>) => ({
  sends: [
    {
      topic: custodyTopic('zurich'),
      records: [{ key: null, headers: [], value: someCustodyEvent(nth) }],
    },
  ],
  beforeCommit,
});
await producer.commit(one(0, () => Promise.resolve()));
await producer.commit(
  one(1, async () => {
    say('open');
    await new Promise(() => {
      process.stdin.resume();
    });
  }),
);
