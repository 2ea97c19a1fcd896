import { MarkerWatch, encodeObjectMetadata } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FoundHead, NewObject, PutResult } from '../src/s3-calls.ts';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import { failure } from '../src/site-failure.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';

/** Answers as it is told first, then as a bucket does. */
class ScriptedBucket extends FakeBucket {
  puts: PutResult[] = [];
  heads: (FoundHead | undefined)[] = [];

  override async putIfAbsent(object: NewObject): Promise<PutResult> {
    const answer = await super.putIfAbsent(object);
    return this.puts.shift() ?? answer;
  }

  override async head(key: string): Promise<FoundHead | undefined> {
    const answer = await super.head(key);
    return this.heads.length > 0 ? this.heads.shift() : answer;
  }
}

const object = exampleObject('one');
let bucket: ScriptedBucket;
let pauses: number[];
let store: S3ObjectStore;
beforeEach(() => {
  bucket = new ScriptedBucket();
  pauses = [];
  store = new S3ObjectStore(SOME_SETTINGS, bucket, {
    pause: async (ms) => {
      pauses.push(ms);
    },
  });
});
const create = () => store.create(object.key, object.sealed, object.metadata);

test('the version a store gives an object is told, of what was created and of what was found', async () => {
  bucket.puts = [{ put: 'created', versionId: 'v1' }];
  expect(await create()).toEqual({ created: true, versionId: 'v1' });
  bucket.heads = [{ metadata: encodeObjectMetadata(object.metadata), bytes: 700, versionId: 'v1' }];
  expect(await create()).toEqual({
    created: false,
    existing: { metadata: object.metadata, bytes: 700, versionId: 'v1' },
  });
});

test('an object is looked for before it is written, unless another site decided who owns the key', async () => {
  const decided = () => store.create(object.key, object.sealed, object.metadata, { decided: true });
  bucket.puts = [{ put: 'created' }];
  expect(await decided()).toEqual({ created: true });
  expect(bucket.asked.splice(0)).toEqual(['put']);
  bucket.puts = [{ put: 'exists' }];
  bucket.heads = [{ metadata: encodeObjectMetadata(object.metadata), bytes: 700 }];
  expect(await decided()).toMatchObject({ created: false });
  expect(bucket.asked.splice(0)).toEqual(['put', 'head']);
  bucket.heads = [{ metadata: encodeObjectMetadata(object.metadata), bytes: 700 }];
  expect(await create()).toMatchObject({ created: false });
  expect(bucket.asked).toEqual(['head']);
});

test('an object that is gone when it is looked at is created anew', async () => {
  bucket.puts = [{ put: 'exists' }, { put: 'created' }];
  bucket.heads = [undefined, undefined];
  expect(await create()).toEqual({ created: true });
  expect(bucket.asked).toEqual(['head', 'put', 'head', 'put']);
});

test('a store that stays undecided is asked eight times, at growing random intervals', async () => {
  bucket.puts = Array.from({ length: 20 }, () => ({ put: 'conflict' }));
  await expect(create()).rejects.toMatchObject({ code: 'SITE_CONTENDED', remedy: 'retry' });
  expect(bucket.asked.filter((asked) => asked === 'put')).toHaveLength(8);
  expect(pauses).toHaveLength(7);
  for (const [index, ms] of pauses.entries()) expect(ms).toBeLessThanOrEqual(40 * 2 ** index);
  expect(new Set(pauses).size).toBeGreaterThan(1);
});

test.each<[string, Partial<FoundHead>]>([
  ['nothing beside it', { metadata: {} }],
  ['a field missing', { metadata: { ...encodeObjectMetadata(object.metadata), country: '' } }],
  ['a field too many', { metadata: { ...encodeObjectMetadata(object.metadata), mtime: '1' } }],
  ['no bytes', { bytes: 0 }],
])('an object with %s concerns its record alone', async (_, found) => {
  bucket.puts = [{ put: 'exists' }];
  bucket.heads = [{ metadata: encodeObjectMetadata(object.metadata), bytes: 700, ...found }];
  await expect(create()).rejects.toMatchObject({
    code: 'METADATA_MISSING',
    remedy: 'park',
    message: expect.stringContaining('zrh-1'),
  });
});

test.each(['', 'residency-site.json', `samples/00/11/${'a'.repeat(64)}`, `${object.key}/`])(
  "a key that is no sample's (%j) is the caller's defect and reaches no store",
  async (key) => {
    await expect(store.create(key, object.sealed, object.metadata)).rejects.toMatchObject({
      code: 'INVALID_OBJECT_KEY',
      remedy: 'stop',
    });
    expect(bucket.asked).toEqual([]);
  },
);

test('a flush asks nothing of the store', async () => {
  await create();
  await store.flush();
  expect(bucket.asked).toEqual(['head', 'put']);
});

describe('a head that is refused with 403, as AWS answers for a missing object if the caller may not list', () => {
  const refused = (): Promise<never> => Promise.reject(failure('zrh-1', 'SITE_REFUSED', '403'));
  const storeWith = (look: () => Promise<void>): S3ObjectStore => {
    bucket.head = refused;
    return new S3ObjectStore(SOME_SETTINGS, bucket, {
      watch: new MarkerWatch(look, { now: () => 0 }),
    });
  };

  test('counts as absent after the marker was read again', async () => {
    let looks = 0;
    const watched = storeWith(async () => {
      looks += 1;
    });
    expect(await watched.head(object.key)).toBeUndefined();
    expect(looks).toBe(2);
  });

  test('is an error if the marker can not be read either', async () => {
    let looks = 0;
    const watched = storeWith(async () => {
      if ((looks += 1) > 1) await refused();
    });
    await expect(watched.head(object.key)).rejects.toMatchObject({ code: 'SITE_REFUSED' });
  });

  test('is an error if nothing looks at the marker', async () => {
    bucket.head = refused;
    await expect(store.head(object.key)).rejects.toMatchObject({ code: 'SITE_REFUSED' });
  });
});
