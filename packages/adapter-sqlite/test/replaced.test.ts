import { copyFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TOPICS } from '@residency/contracts';
import { settlementsOf } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { someLog, text } from './some-log.ts';

const append = { topic: TOPICS.samples, record: text('a sample') };

it.each<[string, (file: string, folder: string) => Promise<void>]>([
  [
    'an older copy of itself',
    async (file, folder) => {
      await copyFile(file, join(folder, 'older.db'));
      await rename(join(folder, 'older.db'), file);
    },
  ],
  [
    'nothing',
    async (file) => {
      await rm(file);
    },
  ],
])(
  'a log whose file is replaced by %s while it is open takes, settles and tells nothing more',
  async (_, replace) => {
    const { log, file, folder, close } = await someLog();
    onTestFinished(close);
    await log.append([append]);
    await replace(file, folder);
    const replaced = { code: 'LOG_REPLACED', remedy: 'stop' };
    await expect(log.append([append])).rejects.toMatchObject(replaced);
    await expect(log.end(TOPICS.samples)).rejects.toMatchObject(replaced);
    const consuming = log
      .submissionLog()
      .consume((batch) => Promise.resolve({ settlements: settlementsOf(batch) }), {
        until: 'end',
        signal: new AbortController().signal,
      });
    await expect(consuming).rejects.toMatchObject(replaced);
  },
);

it('a log whose own file is put back in its place goes on, and what was refused meanwhile is not in it', async () => {
  const { log, file, folder, close } = await someLog();
  onTestFinished(close);
  await log.append([append]);
  await rename(file, join(folder, 'away.db'));
  await expect(log.append([append])).rejects.toMatchObject({ code: 'LOG_REPLACED' });
  await rename(join(folder, 'away.db'), file);
  await log.append([append]);
  expect(await log.end(TOPICS.samples)).toBe(2n);
});
