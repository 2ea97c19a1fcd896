import { createHash } from 'node:crypto';
import { encodeObjectMetadata } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import type { ExampleObject } from '@residency/testkit';
import type { CreateResult, ObjectStore } from '@residency/routing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import { FaultProxy } from './fault-proxy.ts';
import { emptyBucket } from './some-bucket.ts';
import type { SomeBucket } from './some-bucket.ts';

let bucket: SomeBucket;
let proxy: FaultProxy;
const opened: S3ObjectStore[] = [];

beforeEach(async () => {
  bucket = await emptyBucket();
  proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  await proxy.listen();
});
afterEach(async () => {
  for (const store of opened.splice(0)) store.close();
  await proxy.close();
});

function open(settings: Partial<SomeBucket['settings']> = {}): S3ObjectStore {
  const store = new S3ObjectStore({ ...bucket.settings, ...settings });
  opened.push(store);
  return store;
}

const put = (store: ObjectStore, { key, sealed, metadata }: ExampleObject): Promise<CreateResult> =>
  store.create(key, sealed, metadata);

test('of twenty racing creators over two instances exactly one creates, and the others see its object', async () => {
  const stores = [open(), open()];
  const attempts = Array.from({ length: 20 }, (_, index) =>
    exampleObject('raced', index, 2_000 + index),
  );
  const results = await Promise.all(
    attempts.map((attempt, index) => put(stores[index % 2] ?? open(), attempt)),
  );
  const winners = attempts.filter((_, index) => results[index]?.created);
  expect(winners).toHaveLength(1);
  const [winner = exampleObject('none')] = winners;
  const losers = results.filter(({ created }) => !created);
  expect(losers).toEqual(
    Array.from({ length: 19 }, () => ({
      created: false,
      existing: expect.objectContaining({ metadata: winner.metadata, bytes: winner.sealed.length }),
    })),
  );
  expect(await bucket.read(winner.key)).toEqual(winner.sealed);
});

test('an object has every field of its metadata, as S3 user metadata, and no type that tells more', async () => {
  const object = exampleObject('one');
  await put(open(), object);
  const { headers } = await bucket.request('HEAD', object.key);
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('x-amz-meta-') ? [[name.slice('x-amz-meta-'.length), value]] : [],
  );
  expect(Object.fromEntries(metadata)).toEqual(encodeObjectMetadata(object.metadata));
  expect(headers['content-type']).toBe('application/octet-stream');
});

test.each(['WHEN_REQUIRED', 'WHEN_SUPPORTED'] as const)(
  'an object of 16 MiB is created whole, and found by whoever sends it again (checksums %s)',
  async (checksums) => {
    const store = open({ checksums });
    const object = exampleObject('large', 0, 16 * 1_024 * 1_024 + 700);
    expect(await put(store, object)).toMatchObject({ created: true });
    expect((await bucket.read(object.key))?.equals(object.sealed)).toBe(true);
    expect(await put(store, exampleObject('large', 1, 16 * 1_024 * 1_024))).toMatchObject({
      created: false,
      existing: { bytes: object.sealed.length, metadata: object.metadata },
    });
  },
);

test('a PUT is create-only, signed over its bytes, and carries their checksum only to stores that are said to take it', async () => {
  const object = exampleObject('one');
  const digest = createHash('sha256').update(object.sealed);
  await put(open({ endpoint: proxy.endpoint }), object);
  await put(open({ endpoint: proxy.endpoint, checksums: 'WHEN_SUPPORTED' }), exampleObject('two'));
  const [plain, summed] = proxy.seen
    .filter(({ method }) => method === 'PUT')
    .map(({ headers }) => headers);
  expect(plain).toMatchObject({
    'if-none-match': '*',
    'x-amz-content-sha256': digest.digest('hex'),
    'content-length': String(object.sealed.length),
  });
  expect(
    Object.keys(plain ?? {}).filter((name) => /checksum|trailer|md5|expect/.test(name)),
  ).toEqual([]);
  expect(summed).toMatchObject({
    'if-none-match': '*',
    'x-amz-checksum-sha256': Buffer.from(
      summed?.['x-amz-content-sha256'] as string,
      'hex',
    ).toString('base64'),
  });
  expect(Object.keys(summed ?? {}).filter((name) => /crc|trailer/.test(name))).toEqual([]);
});

test('wrong credentials and a missing bucket are told apart, and both wait', async () => {
  const wrong = {
    accessKeyId: bucket.settings.credentials?.accessKeyId ?? '',
    secretAccessKey: 'wrong',
  };
  await expect(put(open({ credentials: wrong }), exampleObject('one'))).rejects.toMatchObject({
    code: 'SITE_REFUSED',
    remedy: 'retry',
  });
  await expect(put(open({ bucket: 'no-such-bucket' }), exampleObject('one'))).rejects.toMatchObject(
    { code: 'SITE_MISSING', remedy: 'retry' },
  );
});
