import { TOPICS } from '@residency/contracts';
import { describeConsentView } from '@residency/testkit';
import { appendOne, consentRecord, someLog } from './some-log.ts';

describeConsentView('SqliteConsentView', async () => {
  const { log, close } = await someLog();
  return {
    view: log.consentView(),
    publishConsent: async (event) => await appendOne(log, TOPICS.consents, consentRecord(event)),
    publishRecord: async (record) => await appendOne(log, TOPICS.consents, record),
    close,
  };
});
