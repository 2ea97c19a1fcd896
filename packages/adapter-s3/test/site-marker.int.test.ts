import { exampleObject } from '@residency/testkit';
import { beforeEach, expect, test } from 'vitest';
import { checkReplacingS3Site, checkS3Site, initS3Site, verifyS3Site } from '../src/site-marker.ts';
import { OverwritingBucket, SOME_SETTINGS } from './fake-bucket.ts';
import { emptyBucket } from './some-bucket.ts';
import type { SomeBucket } from './some-bucket.ts';

let bucket: SomeBucket;
beforeEach(async () => {
  bucket = await emptyBucket();
});

const MARKER = 'residency-site.json';
const codeOf = (attempt: Promise<void>) =>
  attempt.then(
    () => 'fulfilled',
    (error: { code: string }) => error.code,
  );

test('a new site names its region and site, and may be initialised again', async () => {
  await initS3Site(bucket.settings);
  expect(JSON.parse(String(await bucket.read(MARKER)))).toEqual({
    region: 'zurich',
    site: 'zrh-1',
  });
  await expect(initS3Site(bucket.settings)).resolves.toBeUndefined();
  await expect(verifyS3Site(bucket.settings)).resolves.toBeUndefined();
});

test.each([{ site: 'zrh-2' }, { region: 'moscow' }, { site: 'mow-1', region: 'moscow' }])(
  'a bucket of another site is refused, naming what was expected and found (%j)',
  async (other) => {
    await initS3Site(bucket.settings);
    const expected = { ...bucket.settings, ...other };
    for (const use of [verifyS3Site, initS3Site]) {
      const error: unknown = await use(expected).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'SITE_MARKER_MISMATCH', remedy: 'stop' });
      for (const name of [expected.region, expected.site, 'zurich', 'zrh-1'])
        expect(String(error)).toContain(name);
    }
    expect(JSON.parse(String(await bucket.read(MARKER)))).toEqual({
      region: 'zurich',
      site: 'zrh-1',
    });
  },
);

test('of racing initialisations for two sites one wins and the other is refused', async () => {
  const codes = await Promise.all(
    [bucket.settings, { ...bucket.settings, site: 'zrh-2' }].map((settings) =>
      codeOf(initS3Site(settings)),
    ),
  );
  expect(codes.toSorted()).toEqual(['SITE_MARKER_MISMATCH', 'fulfilled']);
});

test('a bucket without a marker is refused; one that is missing, or does not answer, may come', async () => {
  await expect(verifyS3Site(bucket.settings)).rejects.toMatchObject({
    code: 'SITE_MARKER_MISSING',
    remedy: 'stop',
  });
  for (const use of [verifyS3Site, initS3Site]) {
    await expect(use({ ...bucket.settings, bucket: 'no-such-bucket' })).rejects.toMatchObject({
      code: 'SITE_MISSING',
      remedy: 'retry',
    });
    await expect(use({ ...bucket.settings, endpoint: 'http://127.0.0.1:9' })).rejects.toMatchObject(
      { code: 'SITE_UNREACHABLE', remedy: 'retry' },
    );
  }
});

test('samples without a marker are not adopted', async () => {
  await bucket.request('PUT', exampleObject('one').key, { body: 'x' });
  await expect(initS3Site(bucket.settings)).rejects.toMatchObject({
    code: 'SITE_NOT_EMPTY',
    remedy: 'stop',
  });
  expect(await bucket.read(MARKER)).toBeUndefined();
});

test.each(['', 'null', '{"region":"<canary>","site":"zrh-1"}', 'x'.repeat(100_000)])(
  'a marker that says nothing usable is refused and not repeated (%#)',
  async (body) => {
    await bucket.request('PUT', MARKER, { body });
    const error: unknown = await verifyS3Site(bucket.settings).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'SITE_MARKER_MISMATCH', remedy: 'stop' });
    expect(String(error)).not.toContain('canary');
  },
);

test('a store that overwrites although it is told not to is no site, gets no marker, and is refused again', async () => {
  const calls = new OverwritingBucket();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(initS3Site(SOME_SETTINGS, () => calls)).rejects.toMatchObject({
      code: 'SITE_NOT_CREATE_ONLY',
      remedy: 'stop',
    });
    expect([...calls.objects.keys()]).toEqual(['residency-site.probe']);
    await expect(checkS3Site(SOME_SETTINGS, () => calls)).rejects.toMatchObject({
      code: 'SITE_MARKER_MISSING',
    });
  }
  expect(calls.closed).toBe(4);
});

test('a check finds a store that has ceased to honour create-only writes, and changes nothing in either case', async () => {
  const calls = new OverwritingBucket();
  calls.overwrites = false;
  await initS3Site(SOME_SETTINGS, () => calls);
  const before = new Map([...calls.objects].map(([key, { bytes }]) => [key, String(bytes)]));
  await expect(checkS3Site(SOME_SETTINGS, () => calls)).resolves.toBeUndefined();
  calls.overwrites = true;
  await expect(checkS3Site(SOME_SETTINGS, () => calls)).rejects.toMatchObject({
    code: 'SITE_NOT_CREATE_ONLY',
    remedy: 'stop',
  });
  expect(new Map([...calls.objects].map(([key, { bytes }]) => [key, String(bytes)]))).toEqual(
    before,
  );
});

test.each([checkS3Site, checkReplacingS3Site])(
  'a real store is checked without a trace: no object more, and none of another time (%o)',
  async (check) => {
    await initS3Site(bucket.settings);
    const list = async () =>
      (await bucket.request('GET', '?list-type=2')).body
        .toString()
        .match(/<Key>.*?<\/LastModified>/g);
    const before = await list();
    await check(bucket.settings);
    expect((await bucket.request('GET', '?uploads=')).body.toString()).not.toContain('<UploadId>');
    expect(before).toHaveLength(2);
    expect(await list()).toEqual(before);
  },
);
