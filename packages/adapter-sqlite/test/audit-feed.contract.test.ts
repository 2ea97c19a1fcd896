import { TOPICS } from '@residency/contracts';
import { describeAuditFeed } from '@residency/testkit';
import { Database } from '../src/database.ts';
import { settle } from '../src/settling.ts';
import { packEntries } from '../src/wire.ts';
import { someLog } from './some-log.ts';

describeAuditFeed('SqliteAuditFeed', async () => {
  const { log, file, close } = await someLog();
  const entries = (values: readonly (Buffer | null)[]) =>
    values.map((value) => ({ topic: TOPICS.audit, record: { key: null, headers: [], value } }));
  return {
    partitions: [0],
    open: () => Promise.resolve(log.auditFeed()),
    append: async (_, values) => {
      await log.append(entries(values));
    },
    // The transaction fails at its last record, which is of no topic.
    appendInVain: (_, values) => {
      const db = new Database(file, 1_000);
      try {
        const { packed } = packEntries(entries(values));
        const nowhere = packed.map((entry) => ({ ...entry, topic: 'none' as never }));
        settle(
          db,
          { previous: null, control: 0, settled: 0, audits: [], pointers: [...packed, ...nowhere] },
          { now: Date.now() },
        );
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      } finally {
        db.close();
      }
      return Promise.resolve();
    },
    close,
  };
});
