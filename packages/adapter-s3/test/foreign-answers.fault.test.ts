import { exampleObject } from '@residency/testkit';
import type { ExampleObject } from '@residency/testkit';
import type { CreateResult } from '@residency/routing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { S3LedgerStore } from '../src/s3-ledger-store.ts';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import { S3SiteReader } from '../src/s3-site-reader.ts';
import { verifyS3Site } from '../src/site-marker.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { siteBucket } from './some-bucket.ts';
import type { SomeBucket } from './some-bucket.ts';

let bucket: SomeBucket;
let proxy: FaultProxy;
let store: S3ObjectStore;
let reader: S3SiteReader;
beforeEach(async () => {
  bucket = await siteBucket();
  proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  const settings = {
    ...bucket.settings,
    endpoint: await proxy.listen(),
    timeouts: { connectMs: 1_000, requestMs: 5_000 },
  };
  store = new S3ObjectStore(settings);
  reader = new S3SiteReader(settings);
});
afterEach(async () => {
  store.close();
  reader.close();
  await proxy.close();
});

const put = ({ key, sealed, metadata }: ExampleObject): Promise<CreateResult> =>
  store.create(key, sealed, metadata);
const whole = async (object: ExampleObject): Promise<boolean> =>
  (await bucket.read(object.key))?.equals(object.sealed) ?? false;
const NO_LENGTH: Fault = {
  answer: { 'content-length': undefined, 'transfer-encoding': 'chunked' },
};
const PAGE: Fault = {
  status: 200,
  text: '<html>Please sign in</html>',
  headers: { 'content-type': 'text/html' },
};
const ERROR_BODY: Fault = { status: 200, text: '<Error><Code>InternalError</Code></Error>' };

describe('a first and only sending whose PUT answer is lost is its own', () => {
  test.each<[string, Fault]>([
    ['says all', 'pass'],
    ['has no length', NO_LENGTH],
    ['has a length of nought', { answer: { 'content-length': '0' } }],
    ['has another length than was sent', { answer: { 'content-length': '7' } }],
    [
      'has no metadata',
      {
        answer: Object.fromEntries(
          [
            'position',
            'sample-sha256',
            'country',
            'policy-digest',
            'sealed-sha256',
            'wrapping-key',
          ].map((name) => [`x-amz-meta-${name}`, undefined]),
        ),
      },
    ],
    ['has blanks around its metadata', { answer: { 'x-amz-meta-country': '  CH ' } }],
  ])('where the HEAD %s', async (_, head) => {
    const object = exampleObject('one');
    // The look before it is the store's own.
    proxy.next('HEAD', 'pass', head, head);
    proxy.next('PUT', 'failed-but-persisted');
    expect(await put(object)).toEqual({
      created: false,
      existing: { metadata: object.metadata, bytes: object.sealed.length },
    });
    expect(await whole(object)).toBe(true);
  });

  test('and neither HEAD nor the answer to a range says how long it is', async () => {
    const object = exampleObject('one');
    await put(object);
    proxy.always('HEAD', NO_LENGTH);
    proxy.always('GET', { answer: { 'content-range': undefined } });
    const later = { ...object, metadata: { ...object.metadata, sealedSha256: 'f'.repeat(64) } };
    expect(await put(later)).toEqual({
      created: false,
      existing: { metadata: object.metadata, bytes: object.sealed.length },
    });
  });
});

describe('a PUT answered with 2xx by what is no store', () => {
  test.each<[string, Fault]>([
    ['no ETag', { status: 200 }],
    ['a page', PAGE],
    ['an error in its body', ERROR_BODY],
    ['204', { status: 204 }],
    [
      'a page with an ETag',
      { status: 200, text: '<html/>', headers: { etag: '"1"', 'content-type': 'text/html' } },
    ],
  ])('created nothing: it is put again, and created (%s)', async (_, fault) => {
    const object = exampleObject('one');
    proxy.next('PUT', fault);
    expect(await put(object)).toMatchObject({ created: true });
    expect(await whole(object)).toBe(true);
  });

  test.each<[string, Fault]>([
    ['no ETag', { answer: { etag: undefined } }],
    [
      'a page for an answer',
      { answer: { 'content-type': 'text/html', 'content-length': '7' }, body: '<html/>' },
    ],
  ])('created all the same: its object is found (%s)', async (_, fault) => {
    const object = exampleObject('one');
    proxy.next('PUT', fault);
    expect(await put(object)).toEqual({
      created: false,
      existing: { metadata: object.metadata, bytes: object.sealed.length },
    });
  });

  test('and keeps doing so is a failure to retry; nothing is stored', async () => {
    const object = exampleObject('one');
    proxy.always('PUT', PAGE);
    await expect(put(object)).rejects.toMatchObject({
      code: 'SITE_FAILED',
      remedy: 'retry',
      message: expect.stringContaining('not an object store'),
    });
    expect(await bucket.read(object.key)).toBeUndefined();
  });
});

test('a portal that answers everything with a page is a failure to retry, for whoever writes, reads, lists and looks', async () => {
  const object = exampleObject('one');
  await put(object);
  for (const method of ['HEAD', 'PUT', 'GET'])
    proxy.always(method, {
      status: 200,
      text: '<html>Please sign in</html>',
      headers: { 'content-type': 'text/html', etag: '"static"' },
    });
  const failure = { code: 'SITE_FAILED', remedy: 'retry' };
  await expect(put(object)).rejects.toMatchObject(failure);
  await expect(put(exampleObject('two'))).rejects.toMatchObject(failure);
  await expect(reader.read(object.key)).rejects.toMatchObject(failure);
  await expect(Array.fromAsync(reader.list())).rejects.toMatchObject(failure);
  await expect(
    verifyS3Site({ ...bucket.settings, endpoint: proxy.endpoint }),
  ).rejects.toMatchObject(failure);
});

test.each<[string, Fault]>([
  ['no list', { status: 200, text: '<?xml version="1.0"?><Other/>' }],
  ['nothing', { status: 200 }],
  ['an error', ERROR_BODY],
])('a list that is answered with %s is not an empty site', async (_, fault) => {
  proxy.always('GET', fault);
  await expect(Array.fromAsync(reader.list())).rejects.toMatchObject({
    code: 'SITE_FAILED',
    remedy: 'retry',
  });
});

test("an object whose bytes are others than its own metadata says is nobody's, also if it was sent just now", async () => {
  const object = exampleObject('one');
  const metadata = Object.fromEntries(
    Object.entries({
      position: object.metadata.position,
      'sample-sha256': object.metadata.sampleSha256,
      country: 'CH',
      'policy-digest': object.metadata.policyDigest,
      'sealed-sha256': object.metadata.sealedSha256,
      'wrapping-key': object.metadata.wrappingKey,
    }).map(([name, value]) => [`x-amz-meta-${name}`, value]),
  );
  await bucket.request('PUT', object.key, { body: 'half of it', headers: metadata });
  await expect(put(object)).rejects.toMatchObject({ code: 'METADATA_MISSING', remedy: 'park' });
});

describe('a ledger', () => {
  const [ONE, TWO] = [Buffer.from('one'), Buffer.from('two')];
  let ledgers: S3LedgerStore;
  beforeEach(() => {
    ledgers = new S3LedgerStore({ ...bucket.settings, endpoint: proxy.endpoint });
  });
  afterEach(() => {
    ledgers.close();
  });

  test('does not take a page for a created file or a published checkpoint', async () => {
    await ledgers.publish('0/checkpoint', ONE, undefined);
    proxy.next('PUT', PAGE, PAGE);
    expect(await ledgers.create('0/tile/0/000', ONE)).toBe('created');
    proxy.next('PUT', PAGE, { status: 200 });
    await ledgers.publish('0/checkpoint', TWO, ONE);
    expect([await bucket.read('0/tile/0/000'), await bucket.read('0/checkpoint')]).toEqual([
      ONE,
      TWO,
    ]);
  });

  test('does not take a checkpoint without an ETag for none', async () => {
    await ledgers.publish('0/checkpoint', ONE, undefined);
    proxy.always('GET', { answer: { etag: undefined } });
    await expect(ledgers.publish('0/checkpoint', TWO, ONE)).rejects.toMatchObject({
      code: 'SITE_FAILED',
      remedy: 'retry',
    });
    expect(await bucket.read('0/checkpoint')).toEqual(ONE);
  });
});
