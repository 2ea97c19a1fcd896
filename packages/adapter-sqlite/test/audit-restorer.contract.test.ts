import { join } from 'node:path';
import { TOPICS } from '@residency/contracts';
import { describeAuditRestorer } from '@residency/testkit';
import { acquireRoutingLock } from '../src/routing-lock.ts';
import type { RoutingLock } from '../src/routing-lock.ts';
import { someLog, text } from './some-log.ts';

describeAuditRestorer('SqliteAuditRestorer', async () => {
  const { log, folder, close } = await someLog();
  const locks: RoutingLock[] = [];
  return {
    open: async () => {
      locks.push(await acquireRoutingLock(join(folder, 'routing.lock')));
      return await log.auditRestorer();
    },
    publish: async (count) => {
      await log.append(
        Array.from({ length: count }, (_, nth) => ({
          topic: TOPICS.samples,
          record: text(`${nth}`),
        })),
      );
    },
    next: async () => {
      const settled = await log.committed();
      return settled === null ? null : settled + 1n;
    },
    close: async () => {
      await Promise.all(
        locks.map(async (lock) => {
          await lock.release();
        }),
      );
      await close();
    },
  };
});
