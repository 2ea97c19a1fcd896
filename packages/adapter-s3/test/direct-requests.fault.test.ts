import dns from 'node:dns';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { exampleObject } from '@residency/testkit';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { S3Bucket } from '../src/s3-client.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';
import type { NewObject } from '../src/s3-calls.ts';
import { SOME_SETTINGS } from './fake-bucket.ts';
import { preparedBySdk } from './sdk-witness.ts';
import { listening } from './tiny-store.ts';
import { ACCOUNT, AWS_REGION, VerifyingStore, refusalOf } from './verifying-store.ts';
import type { ReceivedRequest, VerifyingStoreOptions } from './verifying-store.ts';

type Found = (error: null, address: unknown, family?: number) => void;

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function openStore(
  options: VerifyingStoreOptions = {},
): Promise<{ readonly store: VerifyingStore; readonly endpoint: string }> {
  const store = new VerifyingStore(options);
  opened.push(store);
  const { host = '127.0.0.1', tls } = options;
  const at = `${host.includes(':') ? `[${host}]` : host}:${await store.listen()}`;
  return { store, endpoint: `${tls === undefined ? 'http' : 'https'}://${at}` };
}

function open(endpoint: string, more: Partial<S3SiteSettings> = {}): S3Bucket {
  const bucket = new S3Bucket({
    ...SOME_SETTINGS,
    bucket: 'bucket',
    endpoint,
    awsRegion: AWS_REGION,
    credentials: ACCOUNT,
    attempts: 2,
    ...more,
  });
  opened.push(bucket);
  return bucket;
}

function object(name: string, more: Partial<NewObject> = {}): NewObject {
  const { key, sealed, metadata } = exampleObject(name);
  return {
    key,
    bytes: sealed,
    sha256: metadata.sealedSha256,
    metadata: { position: metadata.position, country: 'CH' },
    ...more,
  };
}

describe('a store that verifies every signature takes what is sent directly', () => {
  test.each<[string, Partial<S3SiteSettings>, Partial<NewObject>]>([
    ['in path style', {}, {}],
    ['in virtual-host style', { pathStyle: false, bucket: 'bucket' }, {}],
    ['with a session token', { credentials: { ...ACCOUNT, sessionToken: 'to+k/en=' } }, {}],
    ['with a checksum', { checksums: 'WHEN_SUPPORTED' }, {}],
    [
      'with an MD5, a type and a caching rule',
      {},
      { md5: 'AAAA', contentType: 'text/plain; charset=utf-8', cacheControl: 'no-cache' },
    ],
    ['with any key', {}, { key: "a b/ü/日本/%2F/!'()*+~.-_/?x#y" }],
    ['with odd metadata', {}, { metadata: { zzz: '  a   b ', Aaa: '', mid: 'x\ty' } }],
    [
      'of no bytes',
      {},
      {
        bytes: new Uint8Array(),
        sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      },
    ],
    ['with a base path', { endpoint: '/base/' }, {}],
  ])('%s', async (_, { endpoint: base, ...settings }, more) => {
    // A bucket's name before `localhost` is one that no resolver need know.
    vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, options: object, found: Found) => {
      if ('all' in options && options.all === true)
        found(null, [{ address: '127.0.0.1', family: 4 }]);
      else found(null, '127.0.0.1', 4);
    }) as never);
    const { store, endpoint } = await openStore({ host: 'localhost' });
    store.account = settings.credentials ?? ACCOUNT;
    const bucket = open(`${endpoint}${base ?? ''}`, settings);
    const one = object('one', more);
    expect(await bucket.head(one.key)).toBeUndefined();
    expect(await bucket.putIfAbsent(one)).toEqual({ put: 'created' });
    expect(await bucket.putIfAbsent(one)).toEqual({ put: 'exists' });
    expect(await bucket.head(one.key)).toEqual({
      metadata: Object.fromEntries(
        Object.entries(one.metadata).map(([name, value]) => [name.toLowerCase(), value.trim()]),
      ),
      bytes: one.bytes.length,
    });
    expect(store.refused).toEqual([]);
    expect([...store.objects.values()].map(({ body }) => body)).toEqual([Buffer.from(one.bytes)]);
    // None of it was the SDK's.
    expect(store.received.flatMap(({ headers }) => headers.map(([name]) => name))).not.toContain(
      'amz-sdk-request',
    );
  });

  test('to an IPv6 address', async () => {
    const { store, endpoint } = await openStore({ host: '::1' });
    expect(endpoint).toContain('[::1]');
    const bucket = open(endpoint);
    expect(await bucket.putIfAbsent(object('one'))).toEqual({ put: 'created' });
    expect(await bucket.head(object('one').key)).toMatchObject({ bytes: 700 });
    expect(store.refused).toEqual([]);
  });
});

test.each<[string, Partial<S3SiteSettings>, Partial<NewObject>]>([
  [
    'all that can be said',
    { checksums: 'WHEN_SUPPORTED', credentials: { ...ACCOUNT, sessionToken: 'T' } },
    { md5: 'AAAA', contentType: 'text/plain', cacheControl: 'no-cache' },
  ],
  ['nothing more than needed', {}, { metadata: {} }],
])(
  "sends the SDK's headers, but for those the SDK has for its own sake: %s",
  async (_, settings, more) => {
    const { store, endpoint } = await openStore();
    store.account = settings.credentials ?? ACCOUNT;
    const one = object('one', more);
    await open(endpoint, settings).putIfAbsent(one);
    const bySdk = await preparedBySdk(
      {
        endpoint,
        region: AWS_REGION,
        forcePathStyle: true,
        credentials: store.account,
        requestChecksumCalculation: settings.checksums ?? 'WHEN_REQUIRED',
      },
      {
        Bucket: 'bucket',
        Key: one.key,
        Body: one.bytes,
        IfNoneMatch: '*',
        ContentType: one.contentType ?? 'application/octet-stream',
        Metadata: { ...one.metadata },
        ...(settings.checksums === undefined
          ? {}
          : { ChecksumSHA256: Buffer.from(one.sha256, 'hex').toString('base64') }),
        ...(one.md5 === undefined ? {} : { ContentMD5: one.md5, CacheControl: one.cacheControl }),
      },
    );
    const OWN = new Set(['amz-sdk-invocation-id', 'amz-sdk-request', 'x-amz-user-agent']);
    const OF_THE_MOMENT = new Set(['authorization', 'user-agent', 'x-amz-date', 'connection']);
    const comparable = (headers: readonly (readonly [string, string])[]): unknown =>
      Object.fromEntries(headers.filter(([name]) => !OWN.has(name) && !OF_THE_MOMENT.has(name)));
    const sent = store.received.at(-1);
    expect(sent?.target).toBe(bySdk.path);
    expect(comparable(sent?.headers ?? [])).toEqual(comparable(Object.entries(bySdk.headers)));
    // `Expect: 100-continue` would cost a round trip, `x-amz-checksum-crc32` says nothing that the
    // signed digest does not.
    expect(
      sent?.headers.map(([name]) => name).filter((name) => /expect|crc|trailer/.test(name)),
    ).toEqual([]);
  },
);

describe('every signed part of a request is verified: the store refuses it', () => {
  let good: ReceivedRequest;
  beforeEach(async () => {
    const { store, endpoint } = await openStore();
    store.account = { ...ACCOUNT, sessionToken: 'T' };
    await open(endpoint, { checksums: 'WHEN_SUPPORTED', credentials: store.account }).putIfAbsent(
      object('one', { md5: 'AAAA' }),
    );
    [good] = store.received as [ReceivedRequest];
  });
  const refused = (request: ReceivedRequest): boolean =>
    refusalOf(request, { ...ACCOUNT, sessionToken: 'T' }, Date.now()) !== undefined;

  test('but not as it was sent', () => {
    expect(refused(good)).toBe(false);
  });

  test('without any one of its headers, and with another value of it', () => {
    const names = good.headers.map(([name]) => name);
    const signed = names.filter((name) => !['connection', 'user-agent'].includes(name));
    expect(signed).toEqual(
      expect.arrayContaining([
        'host',
        'content-length',
        'content-md5',
        'content-type',
        'if-none-match',
        'x-amz-checksum-sha256',
        'x-amz-content-sha256',
        'x-amz-date',
        'x-amz-meta-country',
        'x-amz-security-token',
        'authorization',
      ]),
    );
    for (const name of signed) {
      const without = good.headers.filter(([other]) => other !== name);
      expect([name, refused({ ...good, headers: without })]).toEqual([name, true]);
      const changed = good.headers.map(
        ([other, value]) => [other, other === name ? `${value}x` : value] as const,
      );
      expect([name, refused({ ...good, headers: changed })]).toEqual([name, true]);
    }
  });

  test('with another method, path, body or a header that was put in', () => {
    expect(refused({ ...good, method: 'DELETE' })).toBe(true);
    expect(refused({ ...good, target: `${good.target}x` })).toBe(true);
    expect(refused({ ...good, body: Buffer.concat([good.body, Buffer.from('x')]) })).toBe(true);
    expect(refused({ ...good, headers: [...good.headers, ['x-amz-acl', 'public-read']] })).toBe(
      true,
    );
  });
});

test('bytes that are not those of the digest are refused by the store, whoever changed them', async () => {
  const { store, endpoint } = await openStore();
  await expect(
    open(endpoint).putIfAbsent(object('one', { bytes: Buffer.from('others') })),
  ).rejects.toMatchObject({
    code: 'SITE_FAILED',
    message: expect.stringContaining('XAmzContentSHA256Mismatch'),
  });
  expect(store.objects.size).toBe(0);
});

describe('a clock that is an hour off', () => {
  test.each([3_600_000, -3_600_000])("is corrected by the store's (%i ms)", async (skewMs) => {
    const { store, endpoint } = await openStore();
    store.skewMs = skewMs;
    const bucket = open(endpoint);
    expect(await bucket.putIfAbsent(object('one'))).toEqual({ put: 'created' });
    expect(await bucket.head(object('one').key)).toMatchObject({ bytes: 700 });
    expect(store.refused).toEqual(['RequestTimeTooSkewed']);
  });

  test('is so for a HEAD too, whose answer cannot say why it was refused: the next one passes', async () => {
    const { store, endpoint } = await openStore();
    store.skewMs = 3_600_000;
    const bucket = open(endpoint);
    await expect(bucket.head('a')).rejects.toMatchObject({ code: 'SITE_REFUSED' });
    expect(await bucket.head('a')).toBeUndefined();
  });
});

describe("credentials of the SDK's chain", () => {
  const rotating = (expiresInMs: (call: number) => number | undefined) => {
    let calls = 0;
    const provider = async () => {
      calls += 1;
      const ms = expiresInMs(calls);
      return {
        accessKeyId: ACCOUNT.accessKeyId,
        secretAccessKey: ACCOUNT.secretAccessKey,
        sessionToken: `token-${calls}`,
        ...(ms === undefined ? {} : { expiration: new Date(Date.now() + ms) }),
      };
    };
    return { provider, calls: () => calls };
  };
  const openWith = async (expiresInMs: (call: number) => number | undefined) => {
    const { store, endpoint } = await openStore();
    const { provider, calls } = rotating(expiresInMs);
    // The chain as the SDK resolves it, without a machine's own credentials.
    const bucket = open(endpoint, { credentials: provider as never });
    return { store, bucket, calls };
  };

  test('are used as long as they last', async () => {
    const { store, bucket, calls } = await openWith(() => 3_600_000);
    store.account = { ...ACCOUNT, sessionToken: 'token-1' };
    for (const name of ['a', 'b', 'c']) await bucket.head(name);
    expect([calls(), store.refused]).toEqual([1, []]);
  });

  test('are replaced five minutes before they expire, so that no request meets their end', async () => {
    const { store, bucket } = await openWith((call) => (call === 1 ? 301_000 : 3_600_000));
    store.account = { ...ACCOUNT, sessionToken: 'token-1' };
    await bucket.head('a');
    const now = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => now + 2_000);
    store.account = { ...ACCOUNT, sessionToken: 'token-2' };
    await bucket.head('b');
    expect(store.refused).toEqual([]);
  });
});

test('no proxy of the environment is asked, as by the SDK', async () => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(502).end();
  });
  const port = await listening(proxy);
  opened.push({ close: () => proxy.close() });
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy'])
    vi.stubEnv(name, `http://127.0.0.1:${port}`);
  vi.stubEnv('NODE_USE_ENV_PROXY', '1');
  const { endpoint } = await openStore();
  const bucket = open(endpoint);
  expect(await bucket.putIfAbsent(object('one'))).toEqual({ put: 'created' });
  await bucket.get('none', 1).catch(() => undefined);
  expect(asked).toEqual([]);
});

describe('over TLS', () => {
  let folder: string;
  let tls: { readonly key: string; readonly cert: string };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'residency-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await writeFile(key, '');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    tls = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test('a certificate that nobody here trusts is a failure to retry', async () => {
    const { store, endpoint } = await openStore({ host: 'localhost', tls });
    await expect(open(endpoint).putIfAbsent(object('one'))).rejects.toMatchObject({
      code: 'SITE_UNREACHABLE',
      message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
    });
    expect(store.received).toEqual([]);
  });

  test('trusts the certificates that Node trusts, and resumes its session on a new connection', async () => {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, tls.cert]);
    try {
      const { store, endpoint } = await openStore({ host: 'localhost', tls });
      const bucket = open(endpoint);
      expect(await bucket.putIfAbsent(object('one'))).toEqual({ put: 'created' });
      expect([store.connections, store.resumed]).toEqual([1, 0]);
      bucket.renew();
      expect(await bucket.head(object('one').key)).toMatchObject({ bytes: 700 });
      expect([store.connections, store.resumed]).toEqual([2, 1]);
    } finally {
      setDefaultCACertificates(before);
    }
  });
});

test("a bucket whose requests the SDK signs otherwise is the SDK's", async () => {
  const send = vi.spyOn(S3Client.prototype, 'send');
  send.mockImplementation((async () => ({ $metadata: {}, VersionId: 'v' })) as never);
  const bucket = open('http://127.0.0.1:9');
  expect(await bucket.putIfAbsent(object('one'))).toEqual({ put: 'created', versionId: 'v' });
  expect(send.mock.calls.map(([command]) => command.constructor.name)).toEqual([
    'HeadObjectCommand',
    'PutObjectCommand',
  ]);
});
