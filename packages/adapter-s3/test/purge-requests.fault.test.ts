import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { S3Bucket } from '../src/s3-client.ts';
import { SOME_SETTINGS } from './fake-bucket.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';

let proxy: FaultProxy;
let bucket: S3Bucket;
let beforeWrite: () => Promise<void>;
let failed: number;
beforeEach(async () => {
  // No store: all answers are the proxy's own.
  proxy = new FaultProxy('http://127.0.0.1:9');
  [beforeWrite, failed] = [() => Promise.resolve(), 0];
  bucket = new S3Bucket(
    {
      ...SOME_SETTINGS,
      endpoint: await proxy.listen(),
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    },
    {
      beforeWrite: () => beforeWrite(),
      failed: () => {
        failed += 1;
      },
    },
  );
});
afterEach(async () => {
  bucket.close();
  await proxy.close();
});

const xml = (text: string): Fault => ({
  status: 200,
  text: `<?xml version="1.0" encoding="UTF-8"?>${text}`,
});
const refused = (status: number, code: string): Fault => ({ status, code });
const lastQuery = (): Record<string, string> =>
  Object.fromEntries(new URL(proxy.seen.at(-1)?.path ?? '', 'http://x').searchParams);

const VERSIONS = (more: string, truncated = false): Fault =>
  xml(
    `<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>${truncated}</IsTruncated>${more}</ListVersionsResult>`,
  );
const UPLOADS = (more: string, truncated = false): Fault =>
  xml(
    `<ListMultipartUploadsResult><IsTruncated>${truncated}</IsTruncated>${more}</ListMultipartUploadsResult>`,
  );

const CALLS: readonly (readonly [right: string, method: string, () => Promise<unknown>])[] = [
  ['s3:ListBucketVersions', 'GET', () => bucket.versions('p/')],
  ['s3:DeleteObjectVersion', 'DELETE', () => bucket.deleteVersion('k', 'v')],
  ['s3:DeleteObject', 'DELETE', () => bucket.deleteVersion('k', undefined)],
  ['s3:ListBucketMultipartUploads', 'GET', () => bucket.uploads('p/')],
  ['s3:AbortMultipartUpload', 'DELETE', () => bucket.abortUpload('k', 'u')],
];

test('versions and delete markers are read page by page', async () => {
  proxy.next(
    'GET',
    VERSIONS(
      '<Version><Key>p/a%3F</Key><VersionId>2</VersionId><IsLatest>true</IsLatest></Version>' +
        '<DeleteMarker><Key>p/a%3F</Key><VersionId>1</VersionId><IsLatest>false</IsLatest></DeleteMarker>' +
        '<NextKeyMarker>p/a%3F</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker>',
      true,
    ),
    VERSIONS(
      '<Version><Key>p/b</Key><VersionId>null</VersionId><IsLatest>true</IsLatest></Version>',
    ),
  );
  expect(await bucket.versions('p/')).toEqual([
    { key: 'p/a?', versionId: '2', isNewest: true },
    { key: 'p/a?', versionId: '1', isNewest: false },
    { key: 'p/b', versionId: 'null', isNewest: true },
  ]);
  expect(lastQuery()).toMatchObject({
    prefix: 'p/',
    'key-marker': 'p/a?',
    'version-id-marker': '1',
  });
});

test('unfinished uploads are read page by page', async () => {
  proxy.next(
    'GET',
    UPLOADS(
      '<Upload><Key>p/a</Key><UploadId>1</UploadId></Upload><NextKeyMarker>p/a</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>',
      true,
    ),
    UPLOADS('<Upload><Key>p/a</Key><UploadId>2</UploadId></Upload>'),
  );
  expect(await bucket.uploads('p/')).toEqual([
    { key: 'p/a', uploadId: '1' },
    { key: 'p/a', uploadId: '2' },
  ]);
  expect(lastQuery()).toMatchObject({ prefix: 'p/', 'upload-id-marker': '1' });
});

test.each([501, 405])('a store without versions and uploads has none (%d)', async (status) => {
  const objects =
    '<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>p/a</Key></Contents></ListBucketResult>';
  proxy.next('GET', refused(status, 'NotImplemented'), xml(objects));
  expect(await bucket.versions('p/')).toEqual([{ key: 'p/a', isNewest: true }]);
  proxy.always('GET', refused(status, 'NotImplemented'));
  proxy.always('POST', refused(status, 'NotImplemented'));
  expect(await bucket.uploads('p/')).toEqual([]);
  expect(await bucket.beginUpload('k')).toBeUndefined();
  expect(await bucket.isLocked()).toBe(false);
  expect(failed).toBe(0);
});

test.each([
  ['that does not say whether it goes on', xml('<ListVersionsResult></ListVersionsResult>')],
  ['that does not say where it goes on', VERSIONS('', true)],
  [
    'with a version that has no id',
    VERSIONS('<Version><Key>p/a</Key><IsLatest>false</IsLatest></Version>'),
  ],
  [
    'that does not say which version is the newest',
    VERSIONS('<Version><Key>p/a</Key><VersionId>1</VersionId></Version>'),
  ],
  [
    "that is a portal's page",
    { status: 200, text: '<html></html>', headers: { 'content-type': 'text/html' } },
  ],
] as const)('a list %s is no list', async (_, fault) => {
  proxy.always('GET', fault);
  const failure = { code: 'SITE_FAILED', remedy: 'retry' };
  await expect(bucket.versions('p/')).rejects.toMatchObject(failure);
});

describe.each(CALLS)('%s', (right, method, call) => {
  test('is named if the store says that it is missing', async () => {
    proxy.always(method, refused(403, 'AccessDenied'));
    await expect(call()).rejects.toMatchObject({
      code: 'SITE_REFUSED',
      remedy: 'retry',
      message: expect.stringContaining(right),
    });
    expect(failed).toBe(1);
  });

  test.each<[Fault, string]>([
    ['failed', 'SITE_UNREACHABLE'],
    [refused(503, 'SlowDown'), 'SITE_BUSY'],
    [refused(404, 'NoSuchBucket'), 'SITE_MISSING'],
    [refused(403, 'SignatureDoesNotMatch'), 'SITE_REFUSED'],
  ])('fails to be tried again if the store fails otherwise (%j: %s)', async (fault, code) => {
    proxy.always(method, fault);
    await expect(call()).rejects.toMatchObject({
      code,
      remedy: 'retry',
      message: expect.not.stringContaining(right),
    });
  });
});

test.each([
  ['NoSuchVersion', () => bucket.deleteVersion('k', 'v')],
  ['NoSuchKey', () => bucket.deleteVersion('k', 'v')],
  ['NoSuchUpload', () => bucket.abortUpload('k', 'u')],
])('what is gone already is deleted (%s)', async (code, call) => {
  proxy.next('DELETE', refused(404, code));
  await expect(call()).resolves.toBeUndefined();
});

test('a version is deleted by its id, and only after the site was looked at, each time', async () => {
  proxy.next('DELETE', 'failed', {
    status: 204,
    text: '',
    headers: { 'x-amz-version-id': 'v' },
  });
  let looks = 0;
  beforeWrite = async () => {
    looks += 1;
  };
  await bucket.deleteVersion('k', 'v');
  expect(looks).toBe(2);
  expect(lastQuery()).toMatchObject({ versionId: 'v' });
  beforeWrite = () => Promise.reject(new Error('another bucket'));
  const before = proxy.count('DELETE');
  for (const call of [() => bucket.deleteVersion('k', 'v'), () => bucket.abortUpload('k', 'u')])
    await expect(call()).rejects.toMatchObject({ remedy: 'retry' });
  expect(proxy.count('DELETE')).toBe(before);
});

describe('an upload', () => {
  const BEGUN = xml(
    '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
  );

  test('is begun, also after an answer that was lost, and only after the site was looked at', async () => {
    let looks = 0;
    beforeWrite = async () => {
      looks += 1;
    };
    proxy.next('POST', 'failed', BEGUN);
    expect(await bucket.beginUpload('k')).toBe('u');
    expect(looks).toBe(2);
    beforeWrite = () => Promise.reject(new Error('another bucket'));
    await expect(bucket.beginUpload('k')).rejects.toMatchObject({ remedy: 'retry' });
    expect(proxy.count('POST')).toBe(2);
  });

  test('is not begun where a policy refuses it', async () => {
    proxy.always('POST', refused(403, 'AccessDenied'));
    expect(await bucket.beginUpload('k')).toBeUndefined();
  });

  test.each<[Fault, string]>([
    [xml('<InitiateMultipartUploadResult></InitiateMultipartUploadResult>'), 'SITE_FAILED'],
    [refused(403, 'SignatureDoesNotMatch'), 'SITE_REFUSED'],
    [refused(503, 'SlowDown'), 'SITE_BUSY'],
    ['failed', 'SITE_UNREACHABLE'],
  ])('fails to be begun again later if the store fails otherwise (%j: %s)', async (fault, code) => {
    proxy.always('POST', fault);
    await expect(bucket.beginUpload('k')).rejects.toMatchObject({ code, remedy: 'retry' });
  });
});

describe('object lock', () => {
  const lock = (enabled: string): Fault =>
    xml(`<ObjectLockConfiguration>${enabled}</ObjectLockConfiguration>`);

  test.each<[Fault, boolean]>([
    [lock('<ObjectLockEnabled>Enabled</ObjectLockEnabled>'), true],
    [lock(''), false],
    [refused(404, 'ObjectLockConfigurationNotFoundError'), false],
    [refused(403, 'AccessDenied'), false],
  ])('is what the store says (%j: %s)', async (fault, locked) => {
    proxy.next('GET', fault);
    expect(await bucket.isLocked()).toBe(locked);
  });

  test.each<[Fault, string]>([
    [refused(404, 'NoSuchBucket'), 'SITE_MISSING'],
    [refused(500, 'InternalError'), 'SITE_FAILED'],
    ['failed', 'SITE_UNREACHABLE'],
  ])('is not known without an answer (%j: %s)', async (fault, code) => {
    proxy.always('GET', fault);
    await expect(bucket.isLocked()).rejects.toMatchObject({ code, remedy: 'retry' });
  });
});
