import { custodyTopic } from '@residency/contracts';
import { describeCustodyLog } from '@residency/testkit';
import { openSqliteLog } from '../src/sqlite-log.ts';
import type { SqliteLog } from '../src/sqlite-log.ts';
import { someLog } from './some-log.ts';

describeCustodyLog('SqliteCustodyLog', async () => {
  const { log, file, close } = await someLog();
  const others: SqliteLog[] = [];
  return {
    open: async (region) => {
      const other = await openSqliteLog({ file, now: () => Date.now() });
      others.push(other);
      return await other.custodyLog(region);
    },
    reading: async (region) => log.custodyRecords(region),
    appendForeign: async (region, value) => {
      await log.append([
        { topic: custodyTopic(region), record: { key: null, headers: [], value } },
      ]);
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
