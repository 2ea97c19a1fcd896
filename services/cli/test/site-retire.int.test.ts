import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder, publishSamples } from './residency.ts';
import type { Folder } from './residency.ts';

const SAMPLES = ['one', 'two', 'three'];
const REASON = ['--reason', 'the lease ended'] as const;
let folder: Folder;
const site = (name: string): string => join(folder.path, '.residency', 'sites', name);

beforeEach(async () => {
  folder = await makeFolder();
  await folder.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  await publishSamples(folder, ...SAMPLES);
  await folder.run('route', '--once');
});
afterEach(() => folder.remove());

/** A version with a third site in Zurich, in force when this returns. */
async function addSite(): Promise<void> {
  const { document } = JSON.parse((await folder.run('policy', 'show', '--json')).out) as {
    readonly document: { readonly regions: readonly { readonly id: string }[] };
  };
  const effectiveFrom = Date.now() + 5_000;
  const file = join(folder.path, 'policy-2.json');
  await writeFile(
    file,
    JSON.stringify({
      ...document,
      version: 2,
      effectiveFrom: new Date(effectiveFrom).toISOString(),
      regions: document.regions.map((one) =>
        one.id === 'zurich' ? { ...one, sites: ['zrh-1', 'zrh-2', 'zrh-3'] } : one,
      ),
    }),
  );
  const { code, err } = await folder.run('policy', 'publish', file);
  expect([code, err]).toEqual([0, expect.anything()]);
  while (Date.now() <= effectiveFrom) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function objectsIn(name: string): Promise<readonly string[]> {
  const found = await readdir(join(site(name), 'samples'), {
    recursive: true,
    withFileTypes: true,
  });
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

it('a site that was added and filled is retired: its folder may go, and everything stays whole', async () => {
  await addSite();
  await publishSamples(folder, 'four');
  await folder.run('route', '--once');
  expect(await objectsIn('zrh-3')).toHaveLength(4);
  expect(await folder.json(0, 'site', 'retire', 'zrh-2', ...REASON, '--rate', '100000')).toEqual([
    { site: 'zrh-2', region: 'zurich', state: 'retired', samples: 4 },
  ]);
  await rm(site('zrh-2'), { recursive: true });
  await publishSamples(folder, 'one', 'five');
  expect((await folder.run('route', '--once')).code).toBe(0);
  expect((await folder.run('doctor')).out).toContain('out of service');
  const { code, out, err } = await folder.run('reconcile');
  expect([code, `${out}${err}`], err).toEqual([0, expect.not.stringContaining('out of service')]);
  const [status] = await folder.json(0, 'status');
  expect(status?.['control']).toMatchObject({ sitesOut: [], sitesRetired: ['zrh-2'] });
  const listed = await folder.json(0, 'sample', 'list', '--region', 'zurich');
  expect(listed.map(({ sites, owed }) => [sites, owed])).toEqual(
    Array.from({ length: 5 }, () => [['zrh-1', 'zrh-3'], []]),
  );
  const again = await folder.run('site', 'retire', 'zrh-2', ...REASON);
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('retired already')]);
  expect(await folder.json(0, 'site', 'retire', 'zrh-2', ...REASON)).toEqual([
    { site: 'zrh-2', region: 'zurich', state: 'retired' },
  ]);
  expect((await folder.run('audit', 'list', '--control')).out).toContain('site.retired');
  // Taken back, in an empty folder: it gets every copy.
  expect((await folder.run('site', 'rebuild', 'zrh-2')).code).toBe(0);
  expect(await folder.json(0, 'site', 'in', 'zrh-2')).toMatchObject([{ out: [] }]);
  await folder.run('route', '--once');
  expect(await objectsIn('zrh-2')).toHaveLength(5);
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});

it('a site whose samples are good nowhere else is not retired, until they are', async () => {
  const [first = '', second = ''] = await objectsIn('zrh-1');
  await rm(first);
  await truncate(second, 10);
  const refused = await folder.run('site', 'retire', 'zrh-2', ...REASON);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('COPIES_MISSING')]);
  expect(refused.err).toContain('2 without one');
  const [status] = await folder.json(0, 'status');
  expect(status?.['control']).toMatchObject({ sitesRetired: [] });
  await folder.run('site', 'repair', 'zrh-1');
  await folder.run('route', '--once');
  expect((await folder.run('site', 'retire', 'zrh-2', ...REASON)).code).toBe(0);
});

it('a site that cannot be read says nothing of its copies', async () => {
  await rm(site('zrh-1'), { recursive: true });
  expect((await folder.run('site', 'retire', 'zrh-2', ...REASON)).code).not.toBe(0);
  expect((await folder.run('audit', 'list', '--control')).out).not.toContain('site.retired');
});

it('what cannot be retired is refused, and changes nothing', async () => {
  for (const [code, says, ...args] of [
    [2, 'zrh-9', 'zrh-9', ...REASON],
    [2, '--reason', 'zrh-2'],
    [1, 'SITE_ARBITRATES', 'zrh-1', ...REASON],
    [1, 'SITE_ARBITRATES', 'mow-1', ...REASON],
  ] as const) {
    const { code: found, out, err } = await folder.run('site', 'retire', ...args);
    expect([found, `${out}${err}`]).toEqual([code, expect.stringContaining(says)]);
  }
  await folder.run('site', 'out', 'zrh-1', '--reason', 'fire');
  const { code, err } = await folder.run('site', 'retire', 'zrh-2', ...REASON);
  expect([code, err]).toEqual([1, expect.stringContaining('SITE_ARBITRATES')]);
  expect((await folder.run('audit', 'list', '--control')).out).not.toContain('site.retired');
});
