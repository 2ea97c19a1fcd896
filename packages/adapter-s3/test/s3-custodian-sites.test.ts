import { encodeSiteMarker } from '@residency/contracts';
import type { NewCopy } from '@residency/custodianship';
import { exampleObject } from '@residency/testkit';
import { beforeEach, expect, test } from 'vitest';
import { S3CustodianSites } from '../src/s3-custodian-sites.ts';
import { S3Sites } from '../src/s3-sites.ts';
import { checkReplacingS3Site } from '../src/site-marker.ts';
import { FakeBucket, OverwritingBucket, SOME_SETTINGS } from './fake-bucket.ts';

const MARKER = { bytes: encodeSiteMarker({ region: 'zurich', site: 'zrh-1' }), metadata: {} };
function copyOf(offset: number): NewCopy {
  const { key, sealed, metadata } = exampleObject('one', offset);
  return { key, bytes: sealed, metadata };
}
const [FIRST, SECOND] = [copyOf(1), copyOf(2)];

let clock: number;
let requests: string[];
beforeEach(() => {
  [clock, requests] = [0, []];
});

function sitesOf(bucket: FakeBucket): S3CustodianSites {
  bucket.objects.set('residency-site.json', MARKER);
  return new S3CustodianSites([SOME_SETTINGS], {
    open: () => bucket,
    now: () => clock,
    onRequest: (site, operation, result) => requests.push(`${site} ${operation} ${result}`),
  });
}

test('a site is opened once, after its marker was read and its store refused both overwrites', async () => {
  const bucket = new FakeBucket();
  const sites = sitesOf(bucket);
  const [one, again] = await Promise.all([
    sites.site('zrh-1', 'zurich'),
    sites.site('zrh-1', 'zurich'),
  ]);
  expect(again).toBe(one);
  expect(bucket.asked.slice(0, 6)).toEqual(['get', 'lock', 'put', 'put', 'replace', 'uploads']);
  requests = [];
  await one.create(FIRST);
  const found = await one.read(FIRST.key);
  if (found !== undefined) await one.replace(SECOND, found);
  if (found !== undefined) await one.replace(FIRST, found);
  expect(requests).toEqual([
    'zrh-1 head missing',
    'zrh-1 put ok',
    'zrh-1 get ok',
    'zrh-1 put ok',
    'zrh-1 put exists',
  ]);
  sites.close();
  expect(bucket.closed).toBe(2);
});

test.each([
  ['ams-1', 'zurich', { code: 'SITE_NOT_CONFIGURED', remedy: 'retry' }],
  ['zrh-1', 'moscow', { code: 'SITE_REGION_MISMATCH', remedy: 'stop' }],
])(
  'a site that the settings do not have is not entered (%s, %s)',
  async (site, region, refusal) => {
    const bucket = new FakeBucket();
    await expect(sitesOf(bucket).site(site, region)).rejects.toMatchObject(refusal);
    expect(bucket.asked).toEqual([]);
  },
);

test('a store that ignores If-Match is refused at the start, and nothing but the probe is written', async () => {
  const bucket = new OverwritingBucket();
  bucket.putIfAbsent = FakeBucket.prototype.putIfAbsent.bind(bucket);
  await expect(sitesOf(bucket).site('zrh-1', 'zurich')).rejects.toMatchObject({
    code: 'SITE_NOT_CONDITIONAL',
    remedy: 'stop',
    message: expect.stringContaining('If-Match'),
  });
  expect([...bucket.objects.keys()]).toEqual(['residency-site.json', 'residency-site.probe']);
});

test('a check with the credentials of a custodian finds such a store, and closes its connections', async () => {
  const good = new FakeBucket();
  good.objects.set('residency-site.json', MARKER);
  await checkReplacingS3Site(SOME_SETTINGS, () => good);
  const bad = new OverwritingBucket();
  bad.objects.set('residency-site.json', MARKER);
  bad.putIfAbsent = FakeBucket.prototype.putIfAbsent.bind(bad);
  await expect(checkReplacingS3Site(SOME_SETTINGS, () => bad)).rejects.toMatchObject({
    code: 'SITE_NOT_CONDITIONAL',
  });
  expect([good.closed, bad.closed]).toEqual([1, 1]);
});

test('a bucket with object lock is refused to a custodian before anything is written, and not to a router', async () => {
  const bucket = new FakeBucket();
  bucket.locked = true;
  await expect(sitesOf(bucket).site('zrh-1', 'zurich')).rejects.toMatchObject({
    code: 'SITE_LOCKED',
    remedy: 'stop',
    message: expect.stringContaining('zrh-1'),
  });
  expect(bucket.asked).toEqual(['get', 'lock']);
  const routers = new S3Sites([SOME_SETTINGS], { open: () => bucket });
  await routers.store('zrh-1', 'zurich');
  expect(bucket.asked.filter((asked) => asked === 'lock')).toHaveLength(1);
});

test('a store that ignores If-None-Match is refused at the start', async () => {
  await expect(sitesOf(new OverwritingBucket()).site('zrh-1', 'zurich')).rejects.toMatchObject({
    code: 'SITE_NOT_CREATE_ONLY',
    remedy: 'stop',
  });
});

test('a store that ignores If-Match from some time on is found within a minute, before it is written to', async () => {
  const bucket = new OverwritingBucket();
  bucket.overwrites = false;
  const site = await sitesOf(bucket).site('zrh-1', 'zurich');
  await site.create(FIRST);
  const found = await site.read(FIRST.key);
  bucket.putIfAbsent = FakeBucket.prototype.putIfAbsent.bind(bucket);
  bucket.overwrites = true;
  clock = 60_000;
  await expect(
    site.replace(SECOND, found ?? { bytes: Buffer.alloc(0), tag: '' }),
  ).rejects.toMatchObject({ code: 'SITE_NOT_CONDITIONAL', remedy: 'stop' });
  expect(bucket.objects.get(FIRST.key)?.bytes).toEqual(FIRST.bytes);
});
