import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { initSite, verifySite } from '../src/site-marker.ts';
import { sweepTemporaries } from '../src/sweep-temporaries.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

const MOSCOW = { region: 'moscow', site: 'mow-1' };
let site: TemporarySite;
beforeEach(async () => {
  site = await temporarySite();
});
afterEach(() => site.remove());

const marker = () => join(site.directory, 'residency-site.json');

test('a new site names its region and site, and may be initialised again', async () => {
  expect(JSON.parse(await readFile(marker(), 'utf8'))).toEqual(ZURICH);
  await expect(initSite(site.directory, ZURICH)).resolves.toBeUndefined();
  await expect(verifySite(site.directory, ZURICH)).resolves.toBeUndefined();
  expect(await site.files()).toEqual(['residency-site.json']);
});

test.each([MOSCOW, { ...ZURICH, site: 'zrh-2' }, { ...ZURICH, region: 'moscow' }])(
  'a directory of another site is refused, naming what was expected and found (%j)',
  async (expected) => {
    for (const use of [verifySite, initSite]) {
      const error = await use(site.directory, expected).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'SITE_MARKER_MISMATCH', remedy: 'stop' });
      for (const name of [expected.region, expected.site, ZURICH.region, ZURICH.site])
        expect(String(error)).toContain(name);
    }
  },
);

test('of racing initialisations for two sites one wins and the other is refused', async () => {
  const fresh = join(site.directory, '..', 'fresh');
  const results = await Promise.allSettled([initSite(fresh, ZURICH), initSite(fresh, MOSCOW)]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'SITE_MARKER_MISMATCH' },
  });
});

test('a directory without a marker is refused, also where it is empty or missing', async () => {
  await rm(marker());
  await expect(verifySite(site.directory, ZURICH)).rejects.toMatchObject({
    code: 'SITE_MARKER_MISSING',
    remedy: 'stop',
  });
  await rm(site.directory, { recursive: true });
  await expect(verifySite(site.directory, ZURICH)).rejects.toMatchObject({
    code: 'SITE_MARKER_MISSING',
  });
});

test('samples without a marker are not adopted', async () => {
  await rm(marker());
  await mkdir(join(site.directory, 'samples/ab'));
  await expect(initSite(site.directory, ZURICH)).rejects.toMatchObject({
    code: 'SITE_NOT_EMPTY',
    remedy: 'stop',
  });
  await expect(readFile(marker())).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each(['', 'null', '[]', '{}', '{"region":"zurich"}', '{"region":"<canary>","site":"zrh-1"}'])(
  'an unusable marker (%s) is refused and not repeated',
  async (text) => {
    await writeFile(marker(), text);
    const error = await verifySite(site.directory, ZURICH).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SITE_MARKER_MISMATCH' });
    expect(String(error)).not.toContain('canary');
  },
);

test('a copy that lost its empty directories is completed', async () => {
  await rm(join(site.directory, 'tmp'), { recursive: true });
  await initSite(site.directory, ZURICH);
  expect(await sweepTemporaries(site.directory, ZURICH.site)).toBe(0);
});

test('a sweep removes temporary files and nothing else', async () => {
  for (const name of ['a', 'b']) await writeFile(join(site.directory, 'tmp', name), 'x');
  expect(await sweepTemporaries(site.directory, ZURICH.site)).toBe(2);
  expect(await site.files()).toEqual(['residency-site.json']);
  await rm(site.directory, { recursive: true });
  await expect(sweepTemporaries(site.directory, ZURICH.site)).rejects.toMatchObject({
    code: 'SITE_UNREACHABLE',
    remedy: 'retry',
  });
});
