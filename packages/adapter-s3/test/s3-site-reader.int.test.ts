import { encodeObjectMetadata, objectKey, setAsideKey, sha256OfParts } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { S3Bucket } from '../src/s3-client.ts';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import { S3SiteReader } from '../src/s3-site-reader.ts';
import { FaultProxy } from './fault-proxy.ts';
import { siteBucket } from './some-bucket.ts';
import type { SomeBucket } from './some-bucket.ts';

let bucket: SomeBucket;
let proxy: FaultProxy;
let store: S3ObjectStore;
let reader: S3SiteReader;
beforeEach(async () => {
  bucket = await siteBucket();
  proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  store = new S3ObjectStore(bucket.settings);
  reader = new S3SiteReader({
    ...bucket.settings,
    endpoint: await proxy.listen(),
    timeouts: { connectMs: 1_000, requestMs: 5_000 },
  });
});
afterEach(async () => {
  store.close();
  reader.close();
  await proxy.close();
});

const place = async ({ key, sealed, metadata }: ReturnType<typeof exampleObject>) => {
  await store.create(key, sealed, metadata);
};
const listed = async () =>
  (await Array.fromAsync(reader.list())).toSorted((a, b) => (a.key < b.key ? -1 : 1));

test('lists every object over several pages, without the marker, none twice', async () => {
  const keys = Array.from({ length: 1_103 }, (_, index) =>
    objectKey(sha256OfParts('listed', String(index))),
  );
  const waiting = keys.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const key of waiting) await bucket.request('PUT', key, { body: 'x' });
    }),
  );
  expect(await listed()).toEqual(keys.toSorted().map((key) => ({ key, foreign: false })));
  // Two pages, and the bytes of the probe that the site's initialisation left.
  expect(proxy.count('GET')).toBe(3);
});

test('a site that holds nothing but its marker is empty', async () => {
  expect(await listed()).toEqual([]);
});

test('names whatever does not belong in a site, under its own name', async () => {
  const object = exampleObject('one');
  await place(object);
  // S3Proxy on files refuses NUL and a leading `..`, makes one slash of two and drops the bytes of
  // a key that ends in one; S3 itself does none of it.
  const strange = [
    'note.txt',
    'samples/stray',
    'samples/',
    'a b+c%2Fd',
    'line\nfeed\u0001',
    'zürich/ä',
    `${object.key}.json`,
    'samples/00/11/0011',
    'Residency-Site.json',
  ];
  for (const key of strange) {
    const { status, body } = await bucket.request('PUT', encodeURI(key).replaceAll('+', '%2B'), {
      body: 'x',
    });
    expect([key, status, body.toString()]).toEqual([key, 200, '']);
  }
  expect(await listed()).toEqual(
    [
      { key: object.key, foreign: false },
      ...strange.map((key) => ({ key, foreign: true })),
    ].toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  );
});

test('does not call bytes foreign that a custodian set aside', async () => {
  const key = setAsideKey('a'.repeat(64), '0'.repeat(64));
  expect((await bucket.request('PUT', key, { body: 'x' })).status).toBe(200);
  expect(await listed()).toEqual([{ key, foreign: false }]);
});

test('a key that XML can not hold, and one encoded in no known way, are named all the same', async () => {
  const page = (keys: readonly string[], more: string) =>
    `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType>${more}${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')}</ListBucketResult>`;
  proxy.next('GET', {
    status: 200,
    text: page(['a%00b', '100%', 'form+encoded%2B'], '<IsTruncated>false</IsTruncated>'),
  });
  expect((await listed()).map(({ key }) => key)).toEqual(['100%', 'a\0b', 'form encoded+']);
});

test('a list that does not go on is not taken for a whole one', async () => {
  const page = (token: string) => ({
    status: 200,
    text: `<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>${token}</ListBucketResult>`,
  });
  proxy.next('GET', page(''));
  await expect(listed()).rejects.toMatchObject({ code: 'SITE_FAILED', remedy: 'retry' });
  proxy.next(
    'GET',
    page('<NextContinuationToken>same</NextContinuationToken>'),
    page('<NextContinuationToken>same</NextContinuationToken>'),
  );
  await expect(listed()).rejects.toMatchObject({ code: 'SITE_FAILED', remedy: 'retry' });
});

test('gives each object with its metadata, and bytes without any as they are', async () => {
  const object = exampleObject('one', 0, 300_000);
  await place(object);
  expect(await reader.read(object.key)).toEqual({
    bytes: object.sealed,
    metadata: encodeObjectMetadata(object.metadata),
  });
  const bare = exampleObject('two');
  await bucket.request('PUT', bare.key, { body: bare.sealed });
  expect(await reader.read(bare.key)).toEqual({ bytes: bare.sealed });
  await bucket.request('PUT', bare.key, { body: '' });
  expect(await reader.read(bare.key)).toEqual({ bytes: Buffer.alloc(0) });
});

test("finds nothing under a free key, nor under one that is no sample's", async () => {
  await bucket.request('PUT', 'note.txt', { body: 'x' });
  for (const key of [
    objectKey('0'.repeat(64)),
    'note.txt',
    'residency-site.json',
    '',
    '../x',
    'x'.repeat(2_000),
  ])
    expect(await reader.read(key)).toBeUndefined();
});

test('an answer that breaks off is asked for again, and given up in the end', async () => {
  const object = exampleObject('one', 0, 300_000);
  await place(object);
  proxy.next('GET', 'broken-off');
  expect((await reader.read(object.key))?.bytes.equals(object.sealed)).toBe(true);
  proxy.next('GET', 'broken-off', 'broken-off', 'broken-off');
  await expect(reader.read(object.key)).rejects.toMatchObject({
    code: 'SITE_UNREACHABLE',
    remedy: 'retry',
  });
});

test('an object larger than can be read is given cut, not held in memory', async () => {
  const object = exampleObject('one', 0, 3_000_000);
  await place(object);
  const calls = new S3Bucket(bucket.settings);
  try {
    const found = await calls.get(object.key, 100_000);
    expect(found?.bytes.length).toBeGreaterThan(100_000);
    expect(found?.bytes.length).toBeLessThan(1_000_000);
  } finally {
    calls.close();
  }
});

test.each([
  ['a bucket that is missing', { bucket: 'no-such-bucket' }, 'SITE_MISSING'],
  ['a server that is not there', { endpoint: 'http://127.0.0.1:9' }, 'SITE_UNREACHABLE'],
  [
    'wrong credentials',
    { credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' } },
    'SITE_REFUSED',
  ],
])('%s is not an empty site', async (_, settings, code) => {
  const broken = new S3SiteReader({ ...bucket.settings, ...settings });
  try {
    await expect(Array.fromAsync(broken.list())).rejects.toMatchObject({ code, remedy: 'retry' });
    await expect(broken.read(objectKey('0'.repeat(64)))).rejects.toMatchObject({
      code,
      remedy: 'retry',
    });
  } finally {
    broken.close();
  }
});

test.each([
  { status: 404, code: 'NotFound' },
  { status: 404 },
  { status: 404, text: '<html>no such page</html>' },
])(
  'a 404 that does not say that the key is missing is not an absent object (%j)',
  async (fault) => {
    proxy.always('GET', fault);
    await expect(reader.read(objectKey('0'.repeat(64)))).rejects.toMatchObject({
      code: 'SITE_MISSING',
      remedy: 'retry',
    });
  },
);
