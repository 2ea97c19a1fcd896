import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOPICS } from '@residency/contracts';
import { expect, it } from 'vitest';
import { isDataDirectory, lockRouting, openDataDirectory, openRouter } from '../src/index.ts';
import { openEmbeddedLedger } from '../src/embedded-ledger.ts';
import { publishExamples } from '../src/examples.ts';
import { temporaryFolder } from './temporary-folder.ts';

it('is created with keys, marked sites and the first policy, accessible to its owner only', async () => {
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

it.each([0o000, 0o022, 0o027, 0o077])(
  'has nothing that others may read, list or lock, under umask %o, also in an existing folder',
  async (umask) => {
    const path = await temporaryFolder();
    await chmod(path, 0o777);
    const before = process.umask(umask);
    try {
      const data = await openDataDirectory(path);
      const router = await openRouter(data);
      await publishExamples(data);
      await router.run({ until: 'end', signal: new AbortController().signal });
      await openEmbeddedLedger(data);
      const names = ['.', ...(await readdir(path, { recursive: true }))];
      expect(names).toEqual(
        expect.arrayContaining([
          'routing.lock',
          'creation.lock',
          'log.db',
          'log.db-wal',
          'log.db-shm',
          'ledger-key',
          'residency.json',
        ]),
      );
      const wide = await Promise.all(
        names.map(async (name) => [name, (await stat(join(path, name))).mode & 0o077] as const),
      );
      expect(wide.filter(([, others]) => others !== 0)).toEqual([]);
      await router.release();
      await data.close();
    } finally {
      process.umask(before);
    }
  },
);

it('restricts files with wider permissions when it is opened and routed from', async () => {
  const path = await temporaryFolder();
  await (await openDataDirectory(path)).close();
  await writeFile(join(path, 'routing.lock'), '');
  for (const name of ['routing.lock', 'log.db']) await chmod(join(path, name), 0o644);
  const data = await openDataDirectory(path);
  const lock = await lockRouting(data);
  for (const name of ['routing.lock', 'log.db'])
    expect((await stat(join(path, name))).mode & 0o777).toBe(0o600);
  await lock.release();
  await data.close();
});

it('opens unchanged the second time: same log, same keys', async () => {
  const path = await temporaryFolder();
  const first = await openDataDirectory(path);
  const before = [first.log.name, await first.keys.list()];
  await first.close();
  const second = await openDataDirectory(path);
  expect([second.log.name, await second.keys.list()]).toEqual(before);
  expect(await second.log.end(TOPICS.policy)).toBe(1n);
  await second.close();
});

it('is created once by several concurrent processes', async () => {
  const path = await temporaryFolder();
  const all = await Promise.all(Array.from({ length: 5 }, () => openDataDirectory(path)));
  expect(new Set(all.map(({ log }) => log.name)).size).toBe(1);
  expect(await all[0]?.log.end(TOPICS.policy)).toBe(1n);
  expect(await all[0]?.keys.list()).toHaveLength(2);
  await Promise.all(all.map((data) => data.close()));
});

it('whose creation was interrupted is finished by the next process', async () => {
  const path = await temporaryFolder();
  await (await openDataDirectory(path)).close();
  await rm(join(path, 'residency.json'));
  await rm(join(path, 'keys/moscow'), { recursive: true });
  const data = await openDataDirectory(path);
  expect(data.keys.newest('moscow')).toBeDefined();
  expect(await data.log.end(TOPICS.policy)).toBe(1n);
  await data.close();
});

it('is not created by a test for it, and exists once its creation is complete', async () => {
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
    (path) => writeFile(join(path, 'residency.json'), '{"format":3,"log":"log-1"}\n'),
  ],
])('is not taken for one where it %s', async (_, code, prepare) => {
  const path = join(await temporaryFolder(), 'data');
  await mkdir(path);
  await prepare(path);
  await expect(openDataDirectory(path)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(/^Expected .*[;.] /),
  });
  await expect(isDataDirectory(path)).rejects.toMatchObject({ code });
  await chmod(path, 0o700);
  expect((await readdir(join(path, '..'))).length).toBe(1);
});
