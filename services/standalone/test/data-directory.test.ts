import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOPICS } from '@residency/contracts';
import { expect, it } from 'vitest';
import { isDataDirectory, openDataDirectory } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

it('is made with keys, marked sites and the first policy, for its owner alone', async () => {
  const path = join(await temporaryFolder(), 'new/.residency');
  const data = await openDataDirectory(path);
  expect((await data.keys.list()).map(({ region }) => region)).toEqual(['moscow', 'zurich']);
  expect(
    (await data.log.policyView().read()).versions.map(({ document }) => document.version),
  ).toEqual([1]);
  expect(
    JSON.parse(await readFile(join(data.sitePath('zrh-2'), 'residency-site.json'), 'utf8')),
  ).toEqual({ region: 'zurich', site: 'zrh-2' });
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  await data.close();
});

it('opens as it is the second time: same log, same keys', async () => {
  const path = await temporaryFolder();
  const first = await openDataDirectory(path);
  const before = [first.log.name, await first.keys.list()];
  await first.close();
  const second = await openDataDirectory(path);
  expect([second.log.name, await second.keys.list()]).toEqual(before);
  expect(await second.log.end(TOPICS.policy)).toBe(1n);
  await second.close();
});

it('made by several at once is made once', async () => {
  const path = await temporaryFolder();
  const all = await Promise.all(Array.from({ length: 5 }, () => openDataDirectory(path)));
  expect(new Set(all.map(({ log }) => log.name)).size).toBe(1);
  expect(await all[0]?.log.end(TOPICS.policy)).toBe(1n);
  expect(await all[0]?.keys.list()).toHaveLength(2);
  await Promise.all(all.map((data) => data.close()));
});

it('whose making was cut short is finished by the next', async () => {
  const path = await temporaryFolder();
  await (await openDataDirectory(path)).close();
  await rm(join(path, 'residency.json'));
  await rm(join(path, 'keys/moscow'), { recursive: true });
  const data = await openDataDirectory(path);
  expect(data.keys.newest('moscow')).toBeDefined();
  expect(await data.log.end(TOPICS.policy)).toBe(1n);
  await data.close();
});

it('is asked for without being made, and is there once it is made to the end', async () => {
  const path = await temporaryFolder();
  expect([
    await isDataDirectory(path),
    await isDataDirectory(join(path, 'missing')),
    await readdir(path),
  ]).toEqual([false, false, []]);
  await (await openDataDirectory(path)).close();
  expect(await isDataDirectory(path)).toBe(true);
  await rm(join(path, 'residency.json'));
  expect(await isDataDirectory(path)).toBe(false);
});

it.each<[string, string, (path: string) => Promise<unknown>]>([
  [
    "is somebody's folder",
    'NOT_A_DATA_DIRECTORY',
    (path) => writeFile(join(path, 'thesis.txt'), 'mine'),
  ],
  [
    'is a file',
    'DATA_DIRECTORY_UNUSABLE',
    async (path) => {
      await rm(path, { recursive: true });
      await writeFile(path, '');
    },
  ],
  [
    'has a marker nobody can read',
    'NOT_A_DATA_DIRECTORY',
    (path) => writeFile(join(path, 'residency.json'), 'x'),
  ],
  [
    'was written by a newer release',
    'DATA_DIRECTORY_NEWER',
    (path) => writeFile(join(path, 'residency.json'), '{"format":2}\n'),
  ],
])('is not taken for one where it %s', async (_, code, prepare) => {
  const path = join(await temporaryFolder(), 'data');
  await mkdir(path);
  await prepare(path);
  await expect(openDataDirectory(path)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(/^Expected .*; /),
  });
  await expect(isDataDirectory(path)).rejects.toMatchObject({ code });
  await chmod(path, 0o700);
  expect((await readdir(join(path, '..'))).length).toBe(1);
});
