import { mkdir, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SITE_REPAIR_ORDERED, controlEntry, objectKey } from '@residency/contracts';
import { openDataDirectory } from '@residency/standalone';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder, publishSamples, temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';
import { SALT } from '@residency/testkit';

const SAMPLES = 6;
let folder: Folder;
let objects: readonly string[];

const inSite = (site: string, ...names: readonly string[]): string =>
  join(folder.path, '.residency', 'sites', site, ...names);

/** The key of the object in a file. */
const keyOf = (file: string): string => objectKey(basename(file));

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
  const act = String(ordered?.['order']);
  const report = await folder.json(0, 'site', 'repairs', '--report', act);
  const lines = [
    { sign: '-', key: keyOf(first), from: 'zrh-2' },
    { sign: '*', key: keyOf(second), from: 'zrh-2' },
    { sign: '-', key: keyOf(third), from: 'zrh-2' },
  ].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  expect(report).toEqual([
    ...lines.map((line) => expect.objectContaining(line)),
    expect.objectContaining({ order: act, state: 'closed', equal: SAMPLES - 3, errors: 0 }),
  ]);
  const [aside = ''] = await readdir(inSite('zrh-1', 'damaged'), { recursive: true }).then((all) =>
    all.filter((name) => /[0-9a-f]{64}$/.test(name) && name.includes('/')),
  );
  expect(report.find(({ sign }) => sign === '*')?.['setAside']).toContain(aside);
  const { out, err } = await folder.run('site', 'repairs', '--report', act);
  expect([out, err]).toEqual([
    `${lines.map(({ sign, key }) => `${sign} ${key}`).join('\n')}\n`,
    `= ${SAMPLES - 3}, - 2, * 1, ! 0\n`,
  ]);
  expect((await folder.run('site', 'repairs', '--report', 'another')).code).toBe(2);
});

it('an order that nobody carried out has a report without an end', async () => {
  const [ordered] = await folder.json(0, 'site', 'repair', 'zrh-2');
  const act = String(ordered?.['order']);
  expect(await folder.json(0, 'site', 'repairs', '--report', act)).toEqual([
    {
      order: act,
      site: 'zrh-2',
      region: 'zurich',
      state: 'open',
      missing: 0,
      differed: 0,
      errors: 0,
    },
  ]);
  await folder.run('route', '--once');
});

it('what no site has any more is counted, and ends with 1', async () => {
  const [first = ''] = objects;
  for (const site of ['zrh-1', 'zrh-2']) await rm(inSite(site, first));
  await folder.run('site', 'repair', 'zrh-2');
  await folder.run('route', '--once');
  const last = (await folder.json(1, 'site', 'repairs')).at(-1);
  expect(last).toMatchObject({ state: 'closed', unpaid: 1 });
  expect(await folder.json(1, 'site', 'repairs', '--report', String(last?.['order']))).toEqual([
    expect.objectContaining({ sign: '!', key: keyOf(first), code: 'NO_GOOD_COPY' }),
    expect.objectContaining({ equal: SAMPLES - 1, errors: 1 }),
  ]);
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

it('an order of somebody else for a site that is not the region’s is shown as refused, and ends with 1', async () => {
  const other = await temporaryFolder();
  await other.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  const data = await openDataDirectory(join(other.path, '.residency'), {
    checkpoints: other.checkpoints,
  });
  const act = 'order-of-somebody-else';
  const order = { act, region: 'zurich', site: 'mow-1' };
  await data.log.append([controlEntry({ type: SITE_REPAIR_ORDERED, data: order }, act, SALT)]);
  await data.close();
  await other.run('route', '--once');
  const refused = { order: act, site: 'mow-1', state: 'refused', refused: 'SITE_NOT_OF_REGION' };
  expect(await other.json(1, 'site', 'repairs')).toEqual([expect.objectContaining(refused)]);
  expect((await other.run('site', 'repairs')).out).toContain('SITE_NOT_OF_REGION');
  expect(await other.json(1, 'site', 'repairs', '--report', act)).toEqual([
    expect.objectContaining(refused),
  ]);
});

it.each(['auto', 'propose'] as const)(
  'what reconcile finds missing is %s: an order by itself, or the command',
  async (mode) => {
    const one = await temporaryFolder();
    await one.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
    await publishSamples(one, 'a', 'b');
    await one.run('route', '--once');
    const site = join(one.path, '.residency', 'sites', 'zrh-2');
    await rm(join(site, 'samples'), { recursive: true });
    await mkdir(join(site, 'samples'));
    const env = { RESIDENCY_REPAIR: mode };
    const repairsOf = async (): Promise<unknown> => {
      const { code, out } = await one.runWith(env, 'reconcile', '--json');
      expect(code).toBe(1);
      return JSON.parse(out.trim().split('\n').at(-1) ?? '').repairs;
    };
    const repair = { site: 'zrh-2', region: 'zurich' };
    expect(await repairsOf()).toEqual([
      { ...repair, state: mode === 'auto' ? 'ordered' : 'proposed' },
    ]);
    expect(await repairsOf()).toEqual([
      { ...repair, state: mode === 'auto' ? 'open' : 'proposed' },
    ]);
    const { out } = await one.runWith(env, 'reconcile');
    expect(out).toContain(mode === 'auto' ? 'is ordered already' : 'residency site repair zrh-2');
    expect(await one.json(0, 'site', 'repairs')).toHaveLength(mode === 'auto' ? 1 : 0);
    if (mode === 'propose') return;
    await one.run('route', '--once');
    expect(await one.json(0, 'site', 'repairs')).toEqual([
      expect.objectContaining({ state: 'closed', copied: 2, unpaid: 0 }),
    ]);
    expect((await one.json(0, 'reconcile')).at(-1)).not.toHaveProperty('repairs');
  },
);

it('a mode of repair that is none is refused', async () => {
  const { code, err } = await folder.runWith({ RESIDENCY_REPAIR: 'always' }, 'reconcile');
  expect([code, err]).toEqual([2, expect.stringContaining('auto or propose')]);
});
