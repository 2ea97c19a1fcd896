import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import { describeSubmissionLog } from '@residency/testkit';
import { openSqliteLog } from '../src/sqlite-log.ts';
import type { SqliteLog } from '../src/sqlite-log.ts';
import { collect, someLog } from './some-log.ts';

describeSubmissionLog('SqliteSubmissionLog', async (settings) => {
  const { log, file, close } = await someLog();
  const others: SqliteLog[] = [];
  return {
    publish: async (records) =>
      await log.append(records.map((record) => ({ topic: TOPICS.samples, record }))),
    // A connection and worker of its own, as another process has them.
    openLog: async () => {
      const other = await openSqliteLog({ file, now: () => Date.now() });
      others.push(other);
      return other.submissionLog(settings);
    },
    auditEvents: async () =>
      (await collect(log.auditRecords())).map((bytes) => decodeAuditEvent(bytes)),
    quarantinePointers: async () => await collect(log.quarantine()),
    committed: async () => {
      const settled = await log.committed();
      return new Map(settled === null ? [] : [[0, settled]]);
    },
    close: async () => {
      await Promise.all(
        others.map(async (other) => {
          await other.close();
        }),
      );
      await close();
    },
  };
});
