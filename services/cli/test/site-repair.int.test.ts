import { readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder, publishSamples } from './residency.ts';
import type { Folder } from './residency.ts';

const SAMPLES = 6;
let folder: Folder;
let objects: readonly string[];

const inSite = (site: string, ...names: readonly string[]): string =>
  join(folder.path, '.residency', 'sites', site, ...names);

beforeAll(async () => {
  folder = await makeFolder();
  await folder.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  await publishSamples(folder, ...Array.from({ length: SAMPLES }, (_, n) => `sample-${n}`));
  await folder.run('route', '--once');
  const found = await readdir(inSite('zrh-1', 'samples'), { recursive: true, withFileTypes: true });
  objects = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(inSite('zrh-1').length + 1))
    .toSorted();
});

afterAll(() => folder.remove());

it('what a site lost or damaged is made anew from another site, and the order says so', async () => {
  const [first = '', second = '', third = ''] = objects;
  await rm(inSite('zrh-1', first));
  await truncate(inSite('zrh-1', second), 10);
  await rename(inSite('zrh-1', third), join(folder.path, 'away'));
  expect((await folder.json(1, 'reconcile')).at(-1)).toMatchObject({
    byCode: { OBJECT_MISSING: 2 },
  });
  const [ordered] = await folder.json(0, 'site', 'repair', 'zrh-1', '--rate', '100000');
  expect(await folder.json(0, 'site', 'repairs')).toEqual([
    expect.objectContaining({ order: ordered?.['order'], site: 'zrh-1', state: 'open' }),
  ]);
  await folder.run('route', '--once');
  expect(await folder.json(0, 'site', 'repairs')).toEqual([
    expect.objectContaining({ state: 'closed', checked: SAMPLES, copied: 3, unpaid: 0 }),
  ]);
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
  expect(await readdir(inSite('zrh-1', 'damaged'))).toHaveLength(1);
  expect((await folder.run('audit', 'list', '--control')).out).toContain('repair-ordered');
});

it('what no site has any more is counted, and ends with 1', async () => {
  const [first = ''] = objects;
  for (const site of ['zrh-1', 'zrh-2']) await rm(inSite(site, first));
  await folder.run('site', 'repair', 'zrh-2');
  await folder.run('route', '--once');
  expect((await folder.json(1, 'site', 'repairs')).at(-1)).toMatchObject({
    state: 'closed',
    unpaid: 1,
  });
  await expect(stat(inSite('zrh-2', first))).rejects.toMatchObject({ code: 'ENOENT' });
});

it.each([
  ['a site that no policy names', ['zrh-9']],
  ['a rate that is none', ['zrh-1', '--rate', '0']],
])('%s is refused, and nothing is ordered', async (_, args) => {
  const before = (await folder.run('audit', 'list', '--control')).out;
  expect((await folder.run('site', 'repair', ...args)).code).toBe(2);
  expect((await folder.run('audit', 'list', '--control')).out).toBe(before);
});

it('a site that no policy names is named beside those that one does', async () => {
  const { err } = await folder.run('site', 'repair', 'zrh-9');
  expect(err).toContain('(zrh-1, zrh-2, mow-1), found zrh-9');
});

it.each([['repair', 'zrh-1'], ['repairs']])(
  'site %s makes no data directory where there is none',
  async (...args) => {
    const { code, err } = await folder.run('site', ...args, '--data', 'nowhere');
    expect([code, err]).toEqual([2, expect.stringContaining('NOT_THERE')]);
    await expect(stat(join(folder.path, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  },
);
