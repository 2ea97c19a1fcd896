import { setAsideKey, sha256 } from '@residency/contracts';
import type { FoundCopy } from '@residency/custodianship';
import { exampleObject, exampleTombstone } from '@residency/testkit';
import { beforeEach, expect, test } from 'vitest';
import { observedPurging } from '../src/observed-calls.ts';
import type { FoundVersion } from '../src/s3-calls.ts';
import { S3CustodianSite } from '../src/s3-custodian-site.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';

const TOMBSTONE = exampleTombstone('one');
const { key: KEY, sealed, metadata } = exampleObject('one');
const SUBMISSION = KEY.slice(-64);
const ASIDE = setAsideKey(SUBMISSION, sha256(sealed));
const FOUND: FoundCopy = { bytes: sealed, metadata, tag: '"any"' };

let bucket: FakeBucket;
let requests: string[];
let site: S3CustodianSite;
beforeEach(() => {
  bucket = new FakeBucket();
  requests = [];
  const observed = observedPurging(bucket, 'zrh-1', (_, operation, result) => {
    requests.push(`${operation} ${result}`);
  });
  site = new S3CustodianSite(SOME_SETTINGS, observed, { pause: async () => {} });
});

const purge = () => site.purge(TOMBSTONE, SUBMISSION, []);

test('deletes every older version and delete marker of its keys, by id, and aborts their uploads', async () => {
  bucket.isVersioned = true;
  await site.create({ key: KEY, bytes: sealed, metadata });
  const found = await site.read(KEY);
  if (found === undefined) throw new Error('Expected the object.');
  await site.setAside(SUBMISSION, found);
  await site.replace(TOMBSTONE, found);
  const strangers = [`damaged/${SUBMISSION}/note`, 'other'];
  bucket.older.push(
    { key: ASIDE, versionId: 'marker', isNewest: false },
    { key: setAsideKey(SUBMISSION, 'f'.repeat(64)), versionId: 'deleted', isNewest: false },
    ...strangers.map((key) => ({ key, versionId: 'stays', isNewest: false })),
  );
  bucket.unfinished.push(...[KEY, ASIDE, ...strangers].map((key) => ({ key, uploadId: 'u' })));
  // That of the sample, what was set aside, and the two above.
  expect(await purge()).toEqual({ versions: 4, setAside: 1, uploads: 2 });
  expect(bucket.older.map(({ key }) => key)).toEqual(strangers);
  expect(bucket.unfinished.map(({ key }) => key)).toEqual(strangers);
  expect(bucket.asked).not.toContain('delete newest');
  expect(requests.filter((request) => request === 'delete ok')).toHaveLength(6);
});

test.each([true, false])(
  "deletes what a killed store left at keys that begin with the sample's or a set-aside one (versions: %s)",
  async (isVersioned) => {
    const left = [`${KEY}-6f1c`, `${ASIDE}-6f1c`];
    const strangers = [`x${KEY}`, `damaged/${SUBMISSION}/note-6f1c`];
    for (const key of [...left, ...strangers])
      bucket.objects.set(key, { bytes: sealed, metadata: {}, etag: '"1"' });
    await site.create(TOMBSTONE);
    if (isVersioned)
      bucket.older.push(...left.map((key) => ({ key, versionId: 'old', isNewest: false })));
    else bucket.versions = async (prefix) => await withoutVersions(prefix);
    bucket.unfinished.push(...left.map((key) => ({ key, uploadId: 'u' })));
    expect(await purge()).toEqual({ versions: isVersioned ? 2 : 0, setAside: 0, uploads: 4 });
    expect([...bucket.objects.keys()].toSorted()).toEqual([KEY, ...strangers].toSorted());
    expect(bucket.unfinished).toEqual([]);
    expect(bucket.older).toEqual([]);
    expect(await purge()).toEqual({ versions: 0, setAside: 0, uploads: 0 });
  },
);

/** As the client lists the objects of a store without versions. */
async function withoutVersions(prefix: string): Promise<readonly FoundVersion[]> {
  const { keys } = await bucket.list(prefix, { maxKeys: 1_000 });
  return keys.map((key) => ({ key, isNewest: true }));
}

test('replaces what somebody else puts there meanwhile', async () => {
  await site.setAside(SUBMISSION, FOUND);
  let races = 3;
  bucket.replace = async (object, etag) => {
    const racing = bucket.objects.get(ASIDE);
    if (races > 0 && racing !== undefined) {
      races -= 1;
      bucket.objects.set(ASIDE, { ...racing, etag: `"race-${races}"` });
    }
    return await FakeBucket.prototype.replace.call(bucket, object, etag);
  };
  expect(await purge()).toMatchObject({ setAside: 1 });
  expect(bucket.objects.get(ASIDE)).toMatchObject({ bytes: TOMBSTONE.bytes, metadata: {} });
});

test('gives up if something else is there after every attempt, to be tried again', async () => {
  await site.setAside(SUBMISSION, FOUND);
  bucket.replace = async () => ({ put: 'differs' });
  await expect(purge()).rejects.toMatchObject({ code: 'SITE_CONTENDED', remedy: 'retry' });
  expect(bucket.objects.get(ASIDE)?.bytes).toEqual(sealed);
});

test('replaces nothing without a condition', async () => {
  bucket.objects.set(ASIDE, { bytes: sealed, metadata: {} });
  await expect(purge()).rejects.toMatchObject({ code: 'SITE_FAILED', remedy: 'retry' });
  expect(bucket.asked).not.toContain('replace');
});

test('finds more objects than one page has', async () => {
  const count = 1_001;
  for (let at = 0; at < count; at += 1)
    bucket.objects.set(setAsideKey(SUBMISSION, sha256(Buffer.from(String(at)))), {
      bytes: sealed,
      metadata: {},
      etag: `"${at}-old"`,
    });
  expect(await purge()).toEqual({ versions: 0, setAside: count, uploads: 0 });
  for (const { bytes } of bucket.objects.values()) expect(bytes).toEqual(TOMBSTONE.bytes);
});

test.each([
  'versions',
  'deleteVersion',
  'uploads',
  'abortUpload',
  'list',
  'replace',
  'get',
] as const)(
  'is completed by the next call if %s failed, with or without its effect',
  async (broken) => {
    for (const persists of [false, true]) {
      bucket.isVersioned = true;
      bucket.objects.clear();
      bucket.older = [{ key: KEY, versionId: 'old', isNewest: false }];
      bucket.unfinished = [{ key: ASIDE, uploadId: 'u' }];
      await site.create(TOMBSTONE);
      await site.setAside(SUBMISSION, FOUND);
      let isBroken = true;
      const call = FakeBucket.prototype[broken] as (...given: unknown[]) => Promise<unknown>;
      Object.assign(bucket, {
        [broken]: async (...given: unknown[]) => {
          if (!isBroken) return await call.apply(bucket, given);
          isBroken = false;
          if (persists) await call.apply(bucket, given);
          throw new Error('broken');
        },
      });
      await expect(purge()).rejects.toThrow('broken');
      await purge();
      expect([bucket.older, bucket.unfinished]).toEqual([[], []]);
      for (const key of [KEY, ASIDE])
        expect(bucket.objects.get(key)?.bytes).toEqual(TOMBSTONE.bytes);
    }
  },
);
