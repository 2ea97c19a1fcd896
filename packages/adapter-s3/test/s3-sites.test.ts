import { encodeSiteMarker } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import type { ExampleObject } from '@residency/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { S3Sites } from '../src/s3-sites.ts';
import { failure } from '../src/site-failure.ts';
import { FakeBucket, OverwritingBucket, SOME_SETTINGS } from './fake-bucket.ts';

let buckets: Map<string, FakeBucket>;
let opened: string[];
let sites: S3Sites;
beforeEach(() => {
  const settings = [
    ['zrh-1', 'zurich'],
    ['zrh-2', 'zurich'],
    ['mow-1', 'moscow'],
  ].map(([site = '', region = '']) => ({ ...SOME_SETTINGS, site, region }));
  buckets = new Map(
    settings.map(({ site, region }) => {
      const bucket = new FakeBucket();
      bucket.objects.set('residency-site.json', {
        bytes: encodeSiteMarker({ region, site }),
        metadata: {},
      });
      return [site, bucket];
    }),
  );
  opened = [];
  sites = new S3Sites(settings, {
    open: ({ site }) => {
      opened.push(site);
      return buckets.get(site) ?? new FakeBucket();
    },
  });
});

test('each site has one store, over its own bucket, whose marker is read once', async () => {
  const stores = await Promise.all(
    ['zrh-1', 'zrh-2', 'zrh-1'].map((site) => sites.store(site, 'zurich')),
  );
  expect(stores[2]).toBe(stores[0]);
  expect(await sites.store('zrh-1', 'zurich')).toBe(stores[0]);
  expect(stores.map(({ site }) => site)).toEqual(['zrh-1', 'zrh-2', 'zrh-1']);
  const { key, sealed, metadata } = exampleObject('one');
  await stores[0]?.create(key, sealed, metadata);
  // The look reads the marker and creates the probe, which it may do once; the write looks first.
  expect(buckets.get('zrh-1')?.asked).toEqual(['get', 'put', 'put', 'head', 'put']);
  // What nobody asks for is not entered.
  expect([...new Set(opened)]).toEqual(['zrh-1', 'zrh-2']);
});

test('a site that the settings lack may come with the next start: the record waits', async () => {
  await expect(sites.store('ams-1', 'zurich')).rejects.toMatchObject({
    code: 'SITE_NOT_CONFIGURED',
    remedy: 'retry',
    message: expect.stringContaining('ams-1'),
  });
});

test('a site that settings and policy place in different regions stops the service, and is not entered', async () => {
  const error: unknown = await sites.store('mow-1', 'zurich').catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'SITE_REGION_MISMATCH', remedy: 'stop' });
  for (const name of ['mow-1', 'moscow', 'zurich']) expect(String(error)).toContain(name);
  expect(opened).toEqual([]);
});

test("a bucket with another site's marker, or none, stops the service and is not written to", async () => {
  buckets.get('zrh-1')?.objects.set('residency-site.json', {
    bytes: encodeSiteMarker({ region: 'moscow', site: 'mow-1' }),
    metadata: {},
  });
  buckets.get('zrh-2')?.objects.clear();
  await expect(sites.store('zrh-1', 'zurich')).rejects.toMatchObject({
    code: 'SITE_MARKER_MISMATCH',
    remedy: 'stop',
  });
  await expect(sites.store('zrh-2', 'zurich')).rejects.toMatchObject({
    code: 'SITE_MARKER_MISSING',
    remedy: 'stop',
  });
  expect([...buckets.values()].flatMap(({ asked }) => asked)).not.toContain('put');
});

test('a site that does not answer is asked again at the next call, with the connections it has', async () => {
  const bucket = buckets.get('zrh-1') ?? new FakeBucket();
  const get = bucket.get.bind(bucket);
  bucket.get = async () => {
    throw failure('zrh-1', 'SITE_UNREACHABLE', 'ECONNREFUSED');
  };
  const both = await Promise.allSettled([
    sites.store('zrh-1', 'zurich'),
    sites.store('zrh-1', 'zurich'),
  ]);
  expect(both).toEqual(
    [1, 2].map(() => ({
      status: 'rejected',
      reason: expect.objectContaining({ code: 'SITE_UNREACHABLE', remedy: 'retry' }),
    })),
  );
  bucket.get = get;
  await expect(sites.store('zrh-1', 'zurich')).resolves.toMatchObject({ site: 'zrh-1' });
  // Connections to write with, and one to look with.
  expect(opened).toEqual(['zrh-1', 'zrh-1']);
});

test('closing closes what was opened', async () => {
  await sites.store('zrh-1', 'zurich');
  sites.close();
  expect([...buckets].map(([site, { closed }]) => [site, closed])).toEqual([
    ['zrh-1', 2],
    ['zrh-2', 0],
    ['mow-1', 0],
  ]);
});

describe('a store that ignores If-None-Match', () => {
  const MARKER = { bytes: encodeSiteMarker({ region: 'zurich', site: 'zrh-1' }), metadata: {} };
  let bucket: OverwritingBucket;
  let clock: number;
  beforeEach(() => {
    [bucket, clock] = [new OverwritingBucket(), 0];
    bucket.objects.set('residency-site.json', MARKER);
    sites = new S3Sites([SOME_SETTINGS], { open: () => bucket, now: () => clock });
  });
  const put = async ({ key, sealed, metadata }: ExampleObject) =>
    await (await sites.store('zrh-1', 'zurich')).create(key, sealed, metadata);

  test('is refused before its first use, and keeps its marker', async () => {
    await expect(sites.store('zrh-1', 'zurich')).rejects.toMatchObject({
      code: 'SITE_NOT_CREATE_ONLY',
      remedy: 'stop',
    });
    expect(bucket.objects.get('residency-site.json')?.bytes).toEqual(MARKER.bytes);
  });

  test('from some time on does not lose a first sample to a second, and stops the service within a minute', async () => {
    bucket.overwrites = false;
    const [first, second] = [exampleObject('one', 1), exampleObject('one', 2)];
    await put(first);
    bucket.overwrites = true;
    expect(await put(second)).toMatchObject({
      created: false,
      existing: { metadata: first.metadata },
    });
    expect(bucket.objects.get(first.key)?.bytes).toEqual(first.sealed);
    clock = 60_000;
    await expect(put(exampleObject('two'))).rejects.toMatchObject({
      code: 'SITE_NOT_CREATE_ONLY',
      remedy: 'stop',
    });
    expect(bucket.objects.has(exampleObject('two').key)).toBe(false);
  });
});
