import { TOPICS } from '@residency/contracts';
import { describeControlView } from '@residency/testkit';
import { someKafka } from './some-kafka.ts';

describeControlView('KafkaControlView', async () => {
  const { log, close } = await someKafka({ partitions: 1 });
  return {
    openView: () => log.controlView(),
    append: async (record) => {
      const [position] = await log.append([{ topic: TOPICS.control, record }]);
      const found = position && (await log.readAt(position));
      if (found === undefined) throw new Error('Expected the record just appended.');
      return found.at;
    },
    close,
  };
});
