import { join } from 'node:path';
import { openSqliteLog } from '@residency/adapter-sqlite';
import { TOPICS } from '@residency/contracts';
import { describeControlView } from '@residency/testkit';
import { EmbeddedControlView } from '../src/embedded-control-view.ts';
import { temporaryFolder } from './temporary-folder.ts';

describeControlView('EmbeddedControlView', async () => {
  const log = await openSqliteLog({ file: join(await temporaryFolder(), 'log.db'), now: Date.now });
  return {
    openView: () => new EmbeddedControlView(log),
    append: async (record) => {
      const [position] = await log.append([{ topic: TOPICS.control, record }]);
      const found = position && (await log.readAt(position));
      if (found === undefined) throw new Error('Expected the record just appended.');
      return found.at;
    },
    close: () => log.close(),
  };
});
