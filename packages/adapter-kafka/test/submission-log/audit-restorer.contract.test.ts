import type { KafkaAuditRestorer } from '../../src/submission-log/kafka-audit-restorer.ts';
import { describeAuditRestorer } from '@residency/testkit';
import { text } from '../some-kafka.ts';
import { someIntake } from './some-intake.ts';

describeAuditRestorer('KafkaAuditRestorer', async () => {
  const some = await someIntake({ partitions: 1 });
  const opened: KafkaAuditRestorer[] = [];
  // The group's coordinator is there before a transaction needs it.
  await some.settled();
  return {
    open: async () => {
      const restorer = await (await some.openLog()).auditRestorer(0);
      opened.push(restorer);
      return restorer;
    },
    publish: async (count) => {
      await some.publish(Array.from({ length: count }, (_, nth) => text(`${nth}`)));
    },
    next: async () => {
      // A commit returns before it is visible; a read waits for it.
      await some.auditEvents().catch(() => undefined);
      const settled = (await some.settled()).get(0);
      return settled === undefined ? null : settled + 1n;
    },
    close: async () => {
      await Promise.all(
        opened.map(async (restorer) => {
          await restorer.close();
        }),
      );
      await some.close();
    },
  };
});
