import { describeSubmissionLog } from '@residency/testkit';
import { SHORT, someIntake } from './some-intake.ts';

describeSubmissionLog('KafkaSubmissionLog', async (settings) => {
  const { publish, openLog, auditEvents, quarantinePointers, settled, close } = await someIntake({
    partitions: 2,
  });
  return {
    publish,
    auditEvents,
    quarantinePointers,
    close,
    committed: settled,
    openLog: async () => (await openLog()).submissionLog({ ...SHORT, ...settings }),
  };
});
