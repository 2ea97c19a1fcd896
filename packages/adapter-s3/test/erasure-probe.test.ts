import { ERASURE_PROBE_KEYS, SITE_PROBE, encodeSiteMarker } from '@residency/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import { requireErasable } from '../src/erasure-probe.ts';
import { RightMissing } from '../src/purge-requests.ts';
import { S3CustodianSites } from '../src/s3-custodian-sites.ts';
import type { FoundVersion } from '../src/s3-calls.ts';
import { checkReplacingS3Site } from '../src/site-marker.ts';
import { failure, siteFailure } from '../src/site-failure.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';

const MARKER = { bytes: encodeSiteMarker({ region: 'zurich', site: 'zrh-1' }), metadata: {} };
const [SAMPLES, DAMAGED] = ERASURE_PROBE_KEYS;
const RIGHTS = {
  list: 's3:ListBucket',
  get: 's3:GetObject',
  versions: 's3:ListBucketVersions',
  deleteVersion: 's3:DeleteObjectVersion',
  uploads: 's3:ListBucketMultipartUploads',
  abortUpload: 's3:AbortMultipartUpload',
} as const;
type Call = keyof typeof RIGHTS;
const CALLS = Object.keys(RIGHTS) as Call[];
const answered = (status: number, name = ''): Error =>
  siteFailure('zrh-1', { name, $metadata: { httpStatusCode: status } });

const at = (key: string, ids: readonly string[]): FoundVersion[] =>
  ids.map((versionId) => ({ key, versionId, isNewest: false }));
const proven = (bucket: FakeBucket): Promise<void> =>
  requireErasable(bucket, 'zrh-1', () => Promise.resolve());

/** What is left, in any version or upload. */
function remains(bucket: FakeBucket): readonly unknown[] {
  return [...bucket.objects.keys(), ...bucket.older, ...bucket.unfinished];
}

/** Refuses a right below one prefix. */
class RefusingBucket extends FakeBucket {
  readonly #call: Call;
  readonly #prefix: string;
  constructor(call: Call, prefix: string) {
    super();
    this.#call = call;
    this.#prefix = prefix;
  }
  override async list(
    ...[key, page]: Parameters<FakeBucket['list']>
  ): ReturnType<FakeBucket['list']> {
    this.#permit('list', key);
    return await super.list(key, page);
  }
  override async get(key: string): ReturnType<FakeBucket['get']> {
    this.#permit('get', key);
    return await super.get(key);
  }
  override async versions(key: string): Promise<readonly FoundVersion[]> {
    this.#permit('versions', key);
    return await super.versions(key);
  }
  override async deleteVersion(key: string, id: string | undefined): Promise<void> {
    this.#permit('deleteVersion', key);
    await super.deleteVersion(key, id);
  }
  override async uploads(key: string): ReturnType<FakeBucket['uploads']> {
    this.#permit('uploads', key);
    return await super.uploads(key);
  }
  override async abortUpload(key: string, id: string): Promise<void> {
    this.#permit('abortUpload', key);
    await super.abortUpload(key, id);
  }
  #permit(call: Call, key: string): void {
    if (call !== this.#call || !key.startsWith(this.#prefix)) return;
    // Others than custodians use these two, so their failure names no right.
    if (call === 'list' || call === 'get') throw answered(403, 'AccessDenied');
    throw new RightMissing('zrh-1', RIGHTS[call]);
  }
}

/** Breaks its n-th request, with or without its effect; counts them. */
class BreakingBucket extends FakeBucket {
  requests = 0;
  breaks: number | undefined;
  persists = false;
  override putIfAbsent(...asked: Parameters<FakeBucket['putIfAbsent']>): never {
    return this.#run(() => super.putIfAbsent(...asked)) as never;
  }
  override list(...asked: Parameters<FakeBucket['list']>): never {
    return this.#run(() => super.list(...asked)) as never;
  }
  override get(...asked: Parameters<FakeBucket['get']>): never {
    const [key] = asked;
    if (key === 'residency-site.json') return super.get(...asked) as never;
    return this.#run(() => super.get(...asked)) as never;
  }
  override versions(...asked: Parameters<FakeBucket['versions']>): never {
    return this.#run(() => super.versions(...asked)) as never;
  }
  override deleteVersion(...asked: Parameters<FakeBucket['deleteVersion']>): never {
    return this.#run(() => super.deleteVersion(...asked)) as never;
  }
  override uploads(...asked: Parameters<FakeBucket['uploads']>): never {
    return this.#run(() => super.uploads(...asked)) as never;
  }
  override beginUpload(...asked: Parameters<FakeBucket['beginUpload']>): never {
    return this.#run(() => super.beginUpload(...asked)) as never;
  }
  override abortUpload(...asked: Parameters<FakeBucket['abortUpload']>): never {
    return this.#run(() => super.abortUpload(...asked)) as never;
  }
  async #run<T>(request: () => Promise<T>): Promise<T> {
    const isBroken = this.requests === this.breaks;
    this.requests += 1;
    if (!isBroken) return await request();
    if (this.persists) await request();
    throw failure('zrh-1', 'SITE_UNREACHABLE', 'ECONNRESET');
  }
}

test('every request of an erasure is tried out below both prefixes, and nothing is left', async () => {
  const bucket = new FakeBucket();
  await proven(bucket);
  const once = ['uploads', 'put', 'list', 'get', 'versions', 'delete newest', 'begin'];
  expect(bucket.asked).toEqual([...once, 'abort upload-1', ...once, 'abort upload-2']);
  expect(remains(bucket)).toEqual([]);
});

test('in a store without versions the probe is deleted without one, and nothing is left either', async () => {
  const bucket = new FakeBucket();
  [bucket.hasVersions, bucket.hasUploads] = [false, false];
  await proven(bucket);
  const once = ['uploads', 'put', 'list', 'get', 'versions', 'delete undefined', 'begin'];
  expect(bucket.asked).toEqual([...once, ...once]);
  expect(remains(bucket)).toEqual([]);
});

describe.each(CALLS)('credentials that may not %s', (call) => {
  test.each([
    ['samples/', SAMPLES],
    ['damaged/', DAMAGED],
  ])('below %s are refused, and the right is named', async (prefix, key) => {
    const bucket = new RefusingBucket(call, prefix);
    const refused: unknown = await proven(bucket).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'SITE_NOT_ERASABLE', remedy: 'stop' });
    for (const part of [RIGHTS[call], key, 'zrh-1']) expect(String(refused)).toContain(part);
  });

  test('are refused at the opening of the site and by a check, each time, and leave no more each time', async () => {
    const bucket = new RefusingBucket(call, 'samples/');
    bucket.isVersioned = true;
    bucket.objects.set('residency-site.json', MARKER);
    const sites = new S3CustodianSites([SOME_SETTINGS], { open: () => bucket });
    const counts = new Set<number>();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      for (const refused of [
        sites.site('zrh-1', 'zurich'),
        checkReplacingS3Site(SOME_SETTINGS, () => bucket),
      ])
        await expect(refused).rejects.toMatchObject({ code: 'SITE_NOT_ERASABLE', remedy: 'stop' });
      counts.add(remains(bucket).length);
    }
    expect(counts.size).toBe(1);
  });
});

describe('what an earlier attempt left', () => {
  let bucket: FakeBucket;
  beforeEach(() => {
    bucket = new FakeBucket();
  });

  test('is removed', async () => {
    bucket.objects.set(SAMPLES, { bytes: Buffer.from(SITE_PROBE), metadata: {}, etag: '"1"' });
    bucket.older = [...at(SAMPLES, ['a', 'b']), ...at(DAMAGED, ['c'])];
    bucket.unfinished = [{ key: DAMAGED, uploadId: 'd' }];
    await proven(bucket);
    expect(remains(bucket)).toEqual([]);
  });

  test('under a longer key is removed too, and nothing else is', async () => {
    const [left, others] = [ERASURE_PROBE_KEYS.map((key) => `${key}-6f1c`), ['samples/x', 'x']];
    for (const key of [...left, ...others])
      bucket.objects.set(key, { bytes: Buffer.from(SITE_PROBE), metadata: {}, etag: '"1"' });
    bucket.older = left.flatMap((key) => at(key, ['a']));
    bucket.unfinished = left.map((key) => ({ key, uploadId: 'b' }));
    await proven(bucket);
    expect(remains(bucket)).toEqual(others);
  });
});

describe.each(['putIfAbsent', 'beginUpload', ...CALLS] as const)('an answer to %s', (call) => {
  const proveWith = async (answer: Error): Promise<Error> => {
    const bucket = Object.assign(new FakeBucket(), { [call]: () => Promise.reject(answer) });
    if (call === 'abortUpload') bucket.unfinished = [{ key: SAMPLES, uploadId: 'a' }];
    try {
      await proven(bucket);
    } catch (caught) {
      if (caught instanceof Error) return caught;
    }
    throw new Error('Expected the probe to fail.');
  };
  const step = call === 'putIfAbsent' || call === 'beginUpload' ? 's3:PutObject' : RIGHTS[call];

  test.each([
    [400, 'InvalidRequest'],
    [403, 'SomethingElse'],
    [405, ''],
  ])('that refuses it (%s %s) needs a person', async (status, name) => {
    const error = await proveWith(answered(status, name));
    expect(error).toMatchObject({ code: 'SITE_NOT_ERASABLE', remedy: 'stop' });
    for (const part of [step, SAMPLES, 'zrh-1', `HTTP ${status}`])
      expect(error.message).toContain(part);
  });

  test.each([
    [404, 'NoSuchBucket', 'SITE_MISSING'],
    [408, '', 'SITE_FAILED'],
    [409, '', 'SITE_FAILED'],
    [429, '', 'SITE_BUSY'],
    [503, '', 'SITE_BUSY'],
    [400, 'ExpiredToken', 'SITE_REFUSED'],
    [400, 'RequestTimeout', 'SITE_UNREACHABLE'],
    [200, '', 'SITE_FAILED'],
  ])('that may pass (%s %s) is tried again, and names the request', async (status, name, code) => {
    const error = await proveWith(answered(status, name));
    expect(error).toMatchObject({ code, remedy: 'retry' });
    for (const part of [step, SAMPLES, 'zrh-1', `HTTP ${status}`])
      expect(error.message).toContain(part);
  });
});

test.each([false, true])(
  'a request that fails is tried again at the next opening, which leaves nothing (done: %s)',
  async (persists) => {
    const whole = new BreakingBucket();
    await proven(whole);
    expect(whole.requests).toBe(16);
    for (let request = 0; request < whole.requests; request += 1) {
      const bucket = new BreakingBucket();
      Object.assign(bucket, { breaks: request, persists });
      await expect(proven(bucket)).rejects.toMatchObject({
        code: 'SITE_UNREACHABLE',
        remedy: 'retry',
      });
      await proven(bucket);
      expect(remains(bucket)).toEqual([]);
    }
  },
);

test('the right is proven once for each opened site, also if the first look failed', async () => {
  const bucket = new BreakingBucket();
  bucket.objects.set('residency-site.json', MARKER);
  let clock = 0;
  const sites = new S3CustodianSites([SOME_SETTINGS], { open: () => bucket, now: () => clock });
  bucket.breaks = 5;
  await expect(sites.site('zrh-1', 'zurich')).rejects.toMatchObject({ remedy: 'retry' });
  await sites.site('zrh-1', 'zurich');
  const lists = (): number => bucket.asked.filter((asked) => asked === 'uploads').length;
  const before = lists();
  expect(before).toBeGreaterThan(2);
  clock += 60_000;
  await sites.site('zrh-1', 'zurich');
  expect(lists()).toBe(before);
});
