import { join } from 'node:path';
import { openSqliteLog } from '@residency/adapter-sqlite';
import { TOPICS } from '@residency/contracts';
import { describeAuditSource } from '@residency/testkit';
import { SqliteAuditSource } from '../src/sqlite-audit-source.ts';
import { temporaryFolder } from './temporary-folder.ts';

describeAuditSource('SqliteAuditSource', async () => {
  const log = await openSqliteLog({ file: join(await temporaryFolder(), 'log.db'), now: Date.now });
  return {
    open: () => new SqliteAuditSource(log),
    append: async (values) => {
      await log.append(
        values.map((value) => ({ topic: TOPICS.audit, record: { key: null, headers: [], value } })),
      );
    },
    close: () => log.close(),
  };
});
