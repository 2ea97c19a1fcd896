import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import { describeSettledOutcomes } from '@residency/testkit';
import { openSqliteLog } from '../src/sqlite-log.ts';
import type { SqliteLog } from '../src/sqlite-log.ts';
import { collect, someLog } from './some-log.ts';

describeSettledOutcomes('SqliteSettledOutcomes', async (settings) => {
  const { log, file, close } = await someLog();
  const others: SqliteLog[] = [];
  const other = async (): Promise<SqliteLog> => {
    const opened = await openSqliteLog({ file, now: () => Date.now() });
    others.push(opened);
    return opened;
  };
  return {
    publish: async (records) =>
      await log.append(records.map((record) => ({ topic: TOPICS.samples, record }))),
    openLog: async () => (await other()).submissionLog(settings),
    outcomes: async () => (await other()).settledOutcomes(),
    auditEvents: async () =>
      (await collect(log.auditRecords())).map((bytes) => decodeAuditEvent(bytes)),
    close: async () => {
      await Promise.all(
        others.map(async (one) => {
          await one.close();
        }),
      );
      await close();
    },
  };
});
