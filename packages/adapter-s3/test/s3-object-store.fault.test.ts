import { exampleObject } from '@residency/testkit';
import type { ExampleObject } from '@residency/testkit';
import type { CreateResult } from '@residency/routing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { emptyBucket } from './some-bucket.ts';
import type { SomeBucket } from './some-bucket.ts';

let bucket: SomeBucket;
let proxy: FaultProxy;
let store: S3ObjectStore;
const timeouts = { connectMs: 1_000, requestMs: 1_000 };

beforeEach(async () => {
  bucket = await emptyBucket();
  proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  store = new S3ObjectStore({ ...bucket.settings, endpoint: await proxy.listen(), timeouts });
});
afterEach(async () => {
  store.close();
  await proxy.close();
});

const put = ({ key, sealed, metadata }: ExampleObject): Promise<CreateResult> =>
  store.create(key, sealed, metadata);
const whole = async (object: ExampleObject): Promise<boolean> =>
  (await bucket.read(object.key))?.equals(object.sealed) ?? false;

describe('a PUT that meets a fault once', () => {
  test.each<Fault>([
    'failed',
    'stalled',
    { status: 500, code: 'InternalError' },
    { status: 503, code: 'SlowDown' },
    { status: 409, code: 'ConditionalRequestConflict' },
    'altered',
  ])('and was not carried out is repeated and creates (%j)', async (fault) => {
    // A store that checks nothing would keep the altered bytes: S3Proxy compares them with the
    // signed digest, and answers 400.
    proxy.next('PUT', fault);
    const object = exampleObject('one');
    const attempt = put(object);
    if (fault === 'altered') {
      await expect(attempt).rejects.toMatchObject({ code: 'SITE_FAILED', remedy: 'retry' });
      expect(await bucket.read(object.key)).toBeUndefined();
      await expect(put(object)).resolves.toMatchObject({ created: true });
    } else {
      await expect(attempt).resolves.toMatchObject({ created: true });
    }
    expect(proxy.count('PUT')).toBe(2);
    expect(await whole(object)).toBe(true);
  });

  test.each<Fault>(['failed-but-persisted', 'stalled-but-persisted'])(
    'but was carried out finds its own object (%j)',
    async (fault) => {
      proxy.next('PUT', fault);
      const object = exampleObject('one');
      expect(await put(object)).toMatchObject({
        created: false,
        existing: { metadata: object.metadata, bytes: object.sealed.length },
      });
      expect(proxy.count('PUT')).toBe(2);
      expect(await whole(object)).toBe(true);
    },
  );
});

describe('a PUT that keeps failing', () => {
  test.each<[Fault, string, number]>([
    ['failed', 'SITE_UNREACHABLE', 3],
    ['stalled', 'SITE_UNREACHABLE', 3],
    [{ status: 403, code: 'AccessDenied' }, 'SITE_REFUSED', 1],
    [
      { status: 301, code: 'PermanentRedirect', headers: { location: 'http://127.0.0.1:9/' } },
      'SITE_REFUSED',
      1,
    ],
    [{ status: 404, code: 'NoSuchBucket' }, 'SITE_MISSING', 1],
    [{ status: 503, code: 'SlowDown' }, 'SITE_BUSY', 3],
    [{ status: 500, code: 'InternalError' }, 'SITE_FAILED', 3],
    [{ status: 507, code: 'InsufficientStorage' }, 'SITE_FULL', 1],
    [{ status: 501, code: 'NotImplemented' }, 'SITE_FAILED', 1],
    [{ status: 502, text: "<html>a gateway's own words</html>" }, 'SITE_FAILED', 3],
    [{ status: 409, code: 'ConditionalRequestConflict' }, 'SITE_CONTENDED', 8],
  ])('ends as an error to retry that names the site (%j: %s)', async (fault, code, attempts) => {
    proxy.always('PUT', fault);
    const object = exampleObject('one');
    await expect(put(object)).rejects.toMatchObject({
      code,
      remedy: 'retry',
      message: expect.stringContaining('zrh-1'),
    });
    expect(proxy.count('PUT')).toBe(attempts);
    proxy.heal();
    expect(await put(object)).toMatchObject({ created: true });
  });

  test('although it was carried out ends so too, and the next attempt finds its own object', async () => {
    proxy.always('PUT', 'failed-but-persisted');
    const object = exampleObject('one');
    await expect(put(object)).rejects.toMatchObject({ code: 'SITE_UNREACHABLE', remedy: 'retry' });
    expect(await whole(object)).toBe(true);
    proxy.heal();
    expect(await put(object)).toMatchObject({
      created: false,
      existing: { metadata: object.metadata },
    });
  });
});

describe('the HEAD after a PUT that found an object', () => {
  const [first, second] = [exampleObject('one', 1), exampleObject('one', 2)];
  beforeEach(async () => {
    await put(first);
  });

  test.each<Fault>([
    'failed',
    'failed-but-persisted',
    'stalled',
    { status: 500 },
    { status: 503 },
    { status: 404 },
  ])('is repeated after a fault (%j)', async (fault) => {
    // The look before the PUT finds nothing yet.
    const looks = proxy.count('HEAD');
    proxy.next('HEAD', { status: 404 }, fault);
    expect(await put(second)).toMatchObject({
      created: false,
      existing: { metadata: first.metadata },
    });
    expect(proxy.count('HEAD') - looks).toBe(3);
  });

  test.each<[Fault, string]>([
    ['failed', 'SITE_UNREACHABLE'],
    ['stalled', 'SITE_UNREACHABLE'],
    [{ status: 403 }, 'SITE_REFUSED'],
    [{ status: 503 }, 'SITE_BUSY'],
    [{ status: 500 }, 'SITE_FAILED'],
    [{ status: 404 }, 'SITE_CONTENDED'],
  ])('ends as an error to retry where the fault stays (%j: %s)', async (fault, code) => {
    proxy.always('HEAD', fault);
    await expect(put(second)).rejects.toMatchObject({
      code,
      remedy: 'retry',
      message: expect.stringContaining('zrh-1'),
    });
    expect(await whole(first)).toBe(true);
  });

  test("says that the bytes are nobody's where it shows no router's metadata", async () => {
    for (const [name, headers] of [
      ['two', {}],
      ['three', { 'x-amz-meta-position': 'log/t/0/1' }],
      ['four', { 'x-amz-meta-canary': 'S3CRET' }],
    ] as const) {
      const object = exampleObject(name);
      await bucket.request('PUT', object.key, { body: "somebody's", headers });
      const error: unknown = await put(object).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'METADATA_MISSING', remedy: 'park' });
      expect(String(error)).not.toContain('S3CRET');
    }
  });
});

test('a server that is not there is unreachable', async () => {
  await proxy.close();
  await expect(put(exampleObject('one'))).rejects.toMatchObject({
    code: 'SITE_UNREACHABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('connections are used again, no more are open than allowed, and whoever waits for one is not timed out', async () => {
  proxy.always('PUT', 'slow');
  // Eighty over four take a second, longer than a connection may take to be made.
  const narrow = new S3ObjectStore({
    ...bucket.settings,
    endpoint: proxy.endpoint,
    maxSockets: 4,
    attempts: 1,
    timeouts: { connectMs: 500, requestMs: 5_000 },
  });
  const objects = Array.from({ length: 80 }, (_, index) => exampleObject(`many-${index}`, index));
  const results = await Promise.all(
    objects.map(({ key, sealed, metadata }) => narrow.create(key, sealed, metadata)),
  );
  expect(results.every(({ created }) => created)).toBe(true);
  expect(proxy.connections).toBeLessThanOrEqual(4);
  narrow.close();
  await expect.poll(() => proxy.openConnections).toBe(0);
});

test('closing ends what is in work, and nothing goes out afterwards', async () => {
  proxy.always('PUT', 'stalled');
  // Only its end can end the request: the test would be over before the request's own time is.
  const patient = new S3ObjectStore({
    ...bucket.settings,
    endpoint: proxy.endpoint,
    timeouts: { connectMs: 3_600_000, requestMs: 3_600_000 },
  });
  const { key, sealed, metadata } = exampleObject('one');
  const outcome = patient.create(key, sealed, metadata).catch((caught: unknown) => caught);
  await expect.poll(() => proxy.count('PUT')).toBe(1);
  patient.close();
  expect(await outcome).toMatchObject({ code: 'SITE_UNREACHABLE' });
  await expect(patient.create(key, sealed, metadata)).rejects.toMatchObject({
    code: 'SITE_UNREACHABLE',
    message: expect.stringContaining('closed'),
  });
  expect(proxy.count('PUT')).toBe(1);
  await expect.poll(() => proxy.openConnections).toBe(0);
});
