import { TOPICS } from '@residency/contracts';
import { describePolicyView } from '@residency/testkit';
import { appendOne, policyRecord, someLog } from './some-log.ts';

describePolicyView('SqlitePolicyView', async () => {
  const { log, close } = await someLog();
  return {
    openView: () => Promise.resolve(log.policyView()),
    publishPolicy: async (document) => await appendOne(log, TOPICS.policy, policyRecord(document)),
    publishRecord: async (record) => await appendOne(log, TOPICS.policy, record),
    close,
  };
});
