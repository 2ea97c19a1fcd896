import { randomUUID } from 'node:crypto';
import { TOPICS, policyEntry } from '@residency/contracts';
import type { NewRecord } from '@residency/contracts';
import { describePolicyView, eventually } from '@residency/testkit';
import { someKafka } from './some-kafka.ts';

describePolicyView('KafkaPolicyView', async () => {
  const { log, close } = await someKafka({ partitions: 1 });
  const ticking = setInterval(() => {
    void log.tick(Date.now()).catch(() => {
      /* Closing. */
    });
  }, 100);
  const append = async (record: NewRecord): Promise<number> => {
    const [position] = await log.append([{ topic: TOPICS.policy, record }]);
    const found = position && (await log.readAt(position));
    if (found === undefined) throw new Error('Expected the record just appended.');
    return found.at;
  };
  return {
    // Until it has read all there was it has no reading, which `policy-view.int.test.ts` looks at.
    openView: async () => {
      const view = log.policyView();
      await eventually(() => view.read().catch(() => undefined));
      return view;
    },
    publishPolicy: async (document) => await append(policyEntry(document, randomUUID()).record),
    publishRecord: append,
    close: async () => {
      clearInterval(ticking);
      await close();
    },
  };
});
