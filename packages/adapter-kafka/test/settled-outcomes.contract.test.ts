import { describeSettledOutcomes } from '@residency/testkit';
import { SHORT, someIntake } from './submission-log/some-intake.ts';

describeSettledOutcomes('KafkaSettledOutcomes', async (settings) => {
  const { publish, openLog, auditEvents, close } = await someIntake({ partitions: 2 });
  return {
    publish,
    auditEvents,
    close,
    openLog: async () => (await openLog()).submissionLog({ ...SHORT, ...settings }),
    outcomes: async () => (await openLog()).settledOutcomes(),
  };
});
