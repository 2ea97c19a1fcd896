import { readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SITE_MARKER_KEY } from '@residency/contracts';
import { expect, it } from 'vitest';
import { publishSamples, temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';

const SAMPLES = 6;

const inSite = (folder: Folder, site: string, ...names: readonly string[]): string =>
  join(folder.path, '.residency', 'sites', site, ...names);

/** The objects of a site, with their bytes. */
async function objectsOf(folder: Folder, site: string): Promise<ReadonlyMap<string, string>> {
  const root = inSite(folder, site);
  const found = await readdir(join(root, 'samples'), { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(async (path) => [path.slice(root.length), await readFile(path, 'hex')] as const),
    ),
  );
}

async function routed(): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  await publishSamples(folder, ...Array.from({ length: SAMPLES }, (_, n) => `sample-${n}`));
  await folder.run('route', '--once');
  return folder;
}

it('a later site that is gone with its marker gets every copy again', async () => {
  const folder = await routed();
  const whole = await objectsOf(folder, 'zrh-2');
  await rm(inSite(folder, 'zrh-2'), { recursive: true });
  expect(await folder.json(0, 'site', 'rebuild', 'zrh-2')).toEqual([
    expect.objectContaining({ site: 'zrh-2', region: 'zurich' }),
  ]);
  await folder.run('route', '--once');
  expect(await folder.json(0, 'site', 'repairs')).toEqual([
    expect.objectContaining({ state: 'closed', checked: SAMPLES, copied: SAMPLES, unpaid: 0 }),
  ]);
  expect(await objectsOf(folder, 'zrh-2')).toEqual(whole);
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
  // Once more: everything is there.
  await folder.json(0, 'site', 'rebuild', 'zrh-2');
  await folder.run('route', '--once');
  expect((await folder.json(0, 'site', 'repairs')).at(-1)).toMatchObject({ copied: 0, unpaid: 0 });
});

it('the first site is rebuilt only while routing is paused', async () => {
  const folder = await routed();
  const whole = await objectsOf(folder, 'zrh-1');
  await rm(inSite(folder, 'zrh-1'), { recursive: true });
  const refused = await folder.run('site', 'rebuild', 'zrh-1');
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('residency pause')]);
  await expect(stat(inSite(folder, 'zrh-1'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await folder.json(0, 'site', 'repairs')).toEqual([]);
  await folder.run('pause', '--reason', 'zrh-1 is rebuilt');
  await folder.json(0, 'site', 'rebuild', 'zrh-1');
  await folder.run('route', '--once');
  expect(await folder.json(0, 'site', 'repairs')).toEqual([
    expect.objectContaining({ state: 'closed', copied: SAMPLES, unpaid: 0 }),
  ]);
  expect(await objectsOf(folder, 'zrh-1')).toEqual(whole);
  await folder.run('resume');
  await folder.run('publish', 'sample-0', '--country', 'CH', '--consent', 'consent-0001');
  await folder.run('route', '--once');
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});

it('samples without a marker are nobody’s, and nothing is ordered', async () => {
  const folder = await routed();
  await rm(inSite(folder, 'zrh-2', SITE_MARKER_KEY));
  const { code, err } = await folder.run('site', 'rebuild', 'zrh-2');
  expect([code, err]).toEqual([1, expect.stringContaining('SITE_NOT_EMPTY')]);
  expect(await folder.json(0, 'site', 'repairs')).toEqual([]);
});

it('a site that a later version adds is filled by itself, and backfill says how far', async () => {
  const folder = await routed();
  expect(await folder.json(0, 'site', 'backfill', 'zrh-2')).toEqual([
    { site: 'zrh-2', region: 'zurich', has: SAMPLES, owed: 0, inForce: true },
  ]);
  const policy = JSON.parse(
    await readFile(new URL('../../../policy/residency-1.json', import.meta.url), 'utf8'),
  ) as { version: number; effectiveFrom: string; regions: { id: string; sites: string[] }[] };
  const later = {
    ...policy,
    version: 2,
    effectiveFrom: new Date(Date.now() + 10_000).toISOString(),
    regions: policy.regions.map((region) =>
      region.id === 'zurich' ? { ...region, sites: [...region.sites, 'zrh-3'] } : region,
    ),
  };
  await writeFile(join(folder.path, 'later.json'), JSON.stringify(later));
  const published = await folder.run('policy', 'publish', 'later.json');
  expect(published.code, published.err).toBe(0);
  expect(await folder.json(1, 'site', 'backfill', 'zrh-3')).toEqual([
    expect.objectContaining({ has: 0, owed: SAMPLES }),
  ]);
  await expect
    .poll(async () => (await folder.json(1, 'site', 'backfill', 'zrh-3'))[0]?.['inForce'])
    .toBe(true);
  const waiting = folder.run('site', 'backfill', 'zrh-3', '--wait', '--json');
  await folder.run('route', '--once');
  const { code, out, err } = await waiting;
  expect([code, JSON.parse(out)]).toEqual([
    0,
    { site: 'zrh-3', region: 'zurich', has: SAMPLES, owed: 0, inForce: true },
  ]);
  expect(err).toMatch(/^(Copies in zrh-3: \d of 6\.\n)*$/);
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});

it('an order is waited for, and what could not be repaired ends it with 1', async () => {
  const folder = await routed();
  const [lost = ''] = (await objectsOf(folder, 'zrh-1')).keys();
  for (const site of ['zrh-1', 'zrh-2']) await rm(inSite(folder, site, lost));
  const waiting = folder.run('site', 'repair', 'zrh-2', '--wait', '--json');
  await expect.poll(async () => (await folder.json(0, 'site', 'repairs')).length).toBe(1);
  await folder.run('route', '--once');
  const { code, out } = await waiting;
  expect([code, JSON.parse(out.trim().split('\n').at(-1) ?? '')]).toEqual([
    1,
    expect.objectContaining({ site: 'zrh-2', state: 'closed', copied: 0, unpaid: 1 }),
  ]);
});

it.each([['rebuild'], ['backfill']])(
  'site %s makes no data directory where there is none, and refuses an unknown site',
  async (name) => {
    const folder = await temporaryFolder();
    const nowhere = await folder.run('site', name, 'zrh-1', '--data', 'nowhere');
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining('NOT_THERE')]);
    await expect(stat(join(folder.path, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
    await folder.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
    const unknown = await folder.run('site', name, 'zrh-9');
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining('found zrh-9')]);
  },
);
