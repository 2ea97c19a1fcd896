import { join } from 'node:path';
import { openSqliteLog } from '@residency/adapter-sqlite';
import { TOPICS } from '@residency/contracts';
import { describeLedgerSource } from '@residency/testkit';
import { SqliteLedgerSource } from '../src/sqlite-ledger-source.ts';
import { temporaryFolder } from './temporary-folder.ts';

describeLedgerSource('SqliteLedgerSource', async () => {
  const log = await openSqliteLog({ file: join(await temporaryFolder(), 'log.db'), now: Date.now });
  return {
    open: () => new SqliteLedgerSource(log, TOPICS.audit),
    append: async (values) => {
      await log.append(
        values.map((value) => ({ topic: TOPICS.audit, record: { key: null, headers: [], value } })),
      );
    },
    close: () => log.close(),
  };
});
