import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { publishSamples, temporaryFolder } from './residency.ts';
import type { Folder, Row } from './residency.ts';
import { start } from './start.ts';

const ERASE = ['--on-withdrawal', 'erase'];

const consent = (folder: Folder, ...args: readonly string[]): Promise<readonly Row[]> =>
  folder.json(0, 'consent', ...args, '--consent', 'consent-0001');

const grant = (folder: Folder): Promise<readonly Row[]> =>
  consent(folder, 'grant', '--subject', 'CANARY-S');

const orders = (folder: Folder): Promise<readonly Row[]> => folder.json(0, 'audit', 'erasures');

/** `erased` or `stored` for each sample of Zurich, in the order of their storing. */
async function states(folder: Folder): Promise<readonly string[]> {
  const listed = await folder.json(0, 'sample', 'list', '--region', 'zurich');
  return listed.map((row) => ('erased' in row ? 'erased' : 'stored'));
}

/** Whether any file of the data directory has the text, such as the intake log's copy of a sample. */
async function has(folder: Folder, text: string): Promise<boolean> {
  const data = join(folder.path, '.residency');
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && (await readFile(join(entry.parentPath, entry.name))).includes(text))
      return true;
  return false;
}

it('a withdrawal orders the erasure, also one while nothing ran; what is given again stays', async () => {
  const folder = await temporaryFolder();
  await grant(folder);
  await publishSamples(folder, 'one', 'two');
  await folder.run('route', '--once');
  await consent(folder, 'withdraw');
  expect(await has(folder, 'sample one')).toBe(true);

  const first = await start(folder, ...ERASE);
  await expect.poll(() => states(folder)).toEqual(['erased', 'erased']);
  await expect.poll(() => has(folder, 'sample one')).toBe(false);
  await grant(folder);
  await publishSamples(folder, 'three');
  await expect.poll(() => states(folder)).toEqual(['erased', 'erased', 'stored']);
  await first.stop('SIGKILL');

  // Reads the log anew, and finds its own order.
  const second = await start(folder, ...ERASE);
  await consent(folder, 'withdraw');
  await expect.poll(() => states(folder)).toEqual(['erased', 'erased', 'erased']);
  await grant(folder);
  await publishSamples(folder, 'four');
  await expect.poll(() => states(folder)).toEqual(['erased', 'erased', 'erased', 'stored']);
  await second.stop('SIGTERM');
  expect(await states(folder)).toEqual(['erased', 'erased', 'erased', 'stored']);
  // The second order names the samples of the first one too.
  expect(await orders(folder)).toEqual(
    [2, 3].map((erased) =>
      expect.objectContaining({ erased, by: 'withdrawal', reason: 'consent withdrawn' }),
    ),
  );
  expect(`${first.output()}${second.output()}`).not.toMatch(/CANARY|consent-0001/);
});

it('`route --once` orders it too, and carries it out; without the option samples are kept', async () => {
  const folder = await temporaryFolder();
  await grant(folder);
  await publishSamples(folder, 'one');
  await consent(folder, 'withdraw');
  // Given again, with a record from before that waits.
  await grant(folder);
  await publishSamples(folder, 'two');
  await folder.run('route', '--once');
  expect([await states(folder), await orders(folder)]).toEqual([['stored', 'stored'], []]);
  await folder.run('route', '--once', ...ERASE);
  expect(await states(folder)).toEqual(['erased', 'stored']);
  expect([await has(folder, 'sample one'), await has(folder, 'sample two')]).toEqual([false, true]);
  await folder.run('route', '--once', ...ERASE);
  expect(await orders(folder)).toHaveLength(1);
  expect((await folder.run('route', '--once', '--on-withdrawal', 'ask')).code).toBe(2);
});
