import { setAsideKey, sha256 } from '@residency/contracts';
import type { FoundCopy, NewCopy, Written } from '@residency/custodianship';
import { exampleObject, exampleTombstone } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { S3Bucket } from '../src/s3-client.ts';
import { S3CustodianSite } from '../src/s3-custodian-site.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { emptyBucket } from './some-bucket.ts';
import type { SomeBucket } from './some-bucket.ts';

function copyOf(name: string, offset: number): NewCopy & { readonly bytes: Buffer } {
  const { key, sealed, metadata } = exampleObject(name, offset);
  return { key, bytes: sealed, metadata };
}
const [STRANGER, RIGHT, NEW] = [copyOf('one', 1), copyOf('one', 2), copyOf('new', 3)];
const SUBMISSION = STRANGER.key.slice(-64);
const ASIDE = setAsideKey(SUBMISSION, sha256(STRANGER.bytes));

let bucket: SomeBucket;
let proxy: FaultProxy;
let custodian: S3CustodianSite;
let found: FoundCopy;
beforeEach(async () => {
  bucket = await emptyBucket();
  proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  const settings = {
    ...bucket.settings,
    endpoint: await proxy.listen(),
    timeouts: { connectMs: 1_000, requestMs: 1_000 },
  };
  custodian = new S3CustodianSite(settings, new S3Bucket(settings), { pause: async () => {} });
  await custodian.create(STRANGER);
  const read = await custodian.read(STRANGER.key);
  if (read === undefined) throw new Error('Expected the object that was created.');
  found = read;
});
afterEach(async () => {
  custodian.close();
  await proxy.close();
});

const holds = async (key: string, bytes: Buffer): Promise<boolean> =>
  (await bucket.read(key))?.equals(bytes) ?? false;
const WRITES: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['create', () => custodian.create(NEW)],
  ['set aside', () => custodian.setAside(SUBMISSION, found)],
  ['replace', () => custodian.replace(RIGHT, found)],
];
const allDone = (): Promise<readonly boolean[]> =>
  Promise.all([
    holds(NEW.key, NEW.bytes),
    holds(ASIDE, STRANGER.bytes),
    holds(RIGHT.key, RIGHT.bytes),
  ]);

describe('a PUT that meets a fault once', () => {
  test.each<Fault>([
    'failed',
    'stalled',
    { status: 500, code: 'InternalError' },
    { status: 503, code: 'SlowDown' },
    { status: 409, code: 'ConditionalRequestConflict' },
    { status: 200, text: "<html>a portal's page</html>", headers: { 'content-type': 'text/html' } },
  ])('and was not carried out is repeated (%j)', async (fault) => {
    for (const [, write] of WRITES) {
      proxy.next('PUT', fault);
      await write();
    }
    expect(await allDone()).toEqual([true, true, true]);
  });

  test.each<Fault>(['failed-but-persisted', 'stalled-but-persisted'])(
    'but was carried out is not repeated over itself: whoever reads again finds the copy (%j)',
    async (fault) => {
      for (const [name, write] of WRITES) {
        proxy.next('PUT', fault);
        const result = await write();
        expect(result).toEqual(
          name === 'set aside'
            ? { key: ASIDE, sha256: sha256(STRANGER.bytes) }
            : { written: false },
        );
      }
      expect(await allDone()).toEqual([true, true, true]);
      for (const copy of [NEW, RIGHT])
        expect(await custodian.read(copy.key)).toMatchObject({
          bytes: copy.bytes,
          metadata: copy.metadata,
        });
    },
  );
});

test.each<[Fault, string]>([
  ['failed', 'SITE_UNREACHABLE'],
  ['failed-but-persisted', 'SITE_UNREACHABLE'],
  [{ status: 403, code: 'AccessDenied' }, 'SITE_REFUSED'],
  [{ status: 404, code: 'NoSuchBucket' }, 'SITE_MISSING'],
  [{ status: 503, code: 'SlowDown' }, 'SITE_BUSY'],
  [{ status: 507, code: 'InsufficientStorage' }, 'SITE_FULL'],
  [{ status: 501, code: 'NotImplemented' }, 'SITE_FAILED'],
  [{ status: 409, code: 'ConditionalRequestConflict' }, 'SITE_CONTENDED'],
  [{ status: 200, text: '<html></html>' }, 'SITE_FAILED'],
])(
  'a PUT that keeps failing ends as an error to retry that names the site, and is done by the next attempt (%j: %s)',
  async (fault, code) => {
    proxy.always('PUT', fault);
    for (const [, write] of WRITES)
      await expect(write()).rejects.toMatchObject({
        code,
        remedy: 'retry',
        message: expect.stringContaining('zrh-1'),
      });
    proxy.heal();
    for (const [, write] of WRITES) await write();
    expect(await allDone()).toEqual([true, true, true]);
  },
);

test.each<Fault>([
  { status: 412, code: 'PreconditionFailed' },
  { status: 404, code: 'NoSuchKey' },
])('a replacement that the store refuses replaces nothing (%j)', async (fault) => {
  proxy.next('PUT', fault);
  expect(await custodian.replace(RIGHT, found)).toEqual({ written: false });
  expect(await holds(STRANGER.key, STRANGER.bytes)).toBe(true);
});

test.each<[Fault, string]>([
  ['failed', 'SITE_UNREACHABLE'],
  ['broken-off', 'SITE_UNREACHABLE'],
  [{ status: 403, code: 'AccessDenied' }, 'SITE_REFUSED'],
  [{ status: 404, code: 'NoSuchBucket' }, 'SITE_MISSING'],
  [{ status: 404, text: 'not found' }, 'SITE_MISSING'],
  [{ answer: { etag: undefined } }, 'SITE_FAILED'],
])('a GET that fails is neither a missing nor a different object (%j: %s)', async (fault, code) => {
  proxy.always('GET', fault);
  await expect(custodian.read(STRANGER.key)).rejects.toMatchObject({ code, remedy: 'retry' });
});

test('what the store says of versions is passed on', async () => {
  const versioned = { answer: { 'x-amz-version-id': 'v7' } };
  proxy.always('GET', versioned);
  expect(await custodian.read(STRANGER.key)).toMatchObject({ versionId: 'v7' });
  proxy.always('PUT', versioned);
  expect(await custodian.create(NEW)).toEqual<Written>({ written: true, versionId: 'v7' });
  expect(await custodian.replace(RIGHT, found)).toEqual<Written>({
    written: true,
    versionId: 'v7',
  });
});

test('a replacement is sent with the condition, the metadata and the type of an object', async () => {
  await custodian.replace(RIGHT, found);
  expect(proxy.seen.findLast(({ method }) => method === 'PUT')?.headers).toMatchObject({
    'if-match': found.tag,
    'content-type': 'application/octet-stream',
    'x-amz-meta-sealed-sha256': RIGHT.metadata.sealedSha256,
    'x-amz-meta-position': RIGHT.metadata.position,
  });
});

describe('a purge', () => {
  const TOMBSTONE = exampleTombstone('one');
  const purge = () => custodian.purge(TOMBSTONE, SUBMISSION, [sha256(NEW.bytes)]);
  const RESERVED = setAsideKey(SUBMISSION, sha256(NEW.bytes));
  beforeEach(async () => {
    await custodian.setAside(SUBMISSION, found);
    await custodian.replace(TOMBSTONE, found);
  });
  const isDone = async (): Promise<boolean> =>
    (await holds(ASIDE, TOMBSTONE.bytes)) && (await holds(RESERVED, TOMBSTONE.bytes));

  test.each<[string, Fault]>([
    ['PUT', 'failed'],
    ['PUT', 'failed-but-persisted'],
    ['PUT', 'stalled-but-persisted'],
    ['PUT', { status: 409, code: 'ConditionalRequestConflict' }],
    ['PUT', { status: 200, text: '<html></html>', headers: { 'content-type': 'text/html' } }],
    ['GET', 'failed'],
    ['GET', { status: 500, code: 'InternalError' }],
  ])('that meets a fault once is done (%s %j)', async (method, fault) => {
    proxy.next(method, fault);
    expect(await purge()).toEqual({ versions: 0, setAside: 1, uploads: 0 });
    expect(await isDone()).toBe(true);
  });

  test.each<[string, Fault, string]>([
    ['PUT', 'failed', 'SITE_UNREACHABLE'],
    ['PUT', 'failed-but-persisted', 'SITE_UNREACHABLE'],
    ['PUT', { status: 403, code: 'AccessDenied' }, 'SITE_REFUSED'],
    ['PUT', { status: 507, code: 'InsufficientStorage' }, 'SITE_FULL'],
    ['PUT', { status: 412, code: 'PreconditionFailed' }, 'SITE_CONTENDED'],
    ['GET', 'failed', 'SITE_UNREACHABLE'],
    ['GET', { status: 403, code: 'AccessDenied' }, 'SITE_REFUSED'],
    ['GET', { status: 404, code: 'NoSuchBucket' }, 'SITE_MISSING'],
  ])('whose %s keeps failing is done by the next attempt (%j: %s)', async (method, fault, code) => {
    proxy.always(method, fault);
    await expect(purge()).rejects.toMatchObject({
      code,
      remedy: 'retry',
      message: expect.stringContaining('zrh-1'),
    });
    proxy.heal();
    await purge();
    expect(await isDone()).toBe(true);
    expect(await custodian.read(TOMBSTONE.key)).toMatchObject({ bytes: TOMBSTONE.bytes });
  });

  test('aborts an unfinished upload to its keys, also if the answer is lost', async () => {
    const begin = async (key: string): Promise<unknown> =>
      await bucket.request('POST', `${key}?uploads=`, { body: '' });
    for (const key of [ASIDE, TOMBSTONE.key, NEW.key]) await begin(key);
    proxy.next('DELETE', 'failed-but-persisted');
    expect(await purge()).toEqual({ versions: 0, setAside: 1, uploads: 2 });
    const left = (await bucket.request('GET', '?uploads=')).body.toString();
    expect([...left.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key)).toEqual([NEW.key]);
  });

  test('deletes what the store left at a key that begins with its key, also if the answer is lost', async () => {
    const left = `${TOMBSTONE.key}-6f1c`;
    await bucket.request('PUT', left, { body: 'remainder' });
    proxy.next('DELETE', 'failed-but-persisted');
    expect(await purge()).toEqual({ versions: 0, setAside: 1, uploads: 1 });
    expect((await bucket.request('HEAD', left)).status).toBe(404);
    expect(await isDone()).toBe(true);
  });

  test('puts each tombstone under a condition', async () => {
    const before = proxy.count('PUT');
    await purge();
    const sent = proxy.seen.filter(({ method }) => method === 'PUT').slice(before);
    expect(
      sent.map(({ headers }) => typeof (headers['if-match'] ?? headers['if-none-match'])),
    ).toEqual(['string', 'string']);
  });
});
