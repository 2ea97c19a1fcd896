import { inspect } from 'node:util';
import { hasCode } from '@residency/coded-error';
import { CUSTODIAN_SITE_ERROR_CODES } from '@residency/custodianship';
import { exampleObject } from '@residency/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { S3Bucket } from '../src/s3-client.ts';
import { S3CustodianSite } from '../src/s3-custodian-site.ts';
import { S3_ERROR_CODES } from '../src/s3-error.ts';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';
import { S3SiteReader } from '../src/s3-site-reader.ts';
import { initS3Site, verifyS3Site } from '../src/site-marker.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { siteBucket } from './some-bucket.ts';
import type { SomeBucket } from './some-bucket.ts';

const SECRETS = {
  accessKeyId: 'CANARYID01',
  secretAccessKey: 'CANARYSECRET02',
  sessionToken: 'CANARYTOKEN03',
};
const SAMPLE = 'CANARYSAMPLE04';
const ANSWER = 'CANARYANSWER05';

const echo = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${ANSWER} ${SECRETS.secretAccessKey}</Message><AWSAccessKeyId>${SECRETS.accessKeyId}</AWSAccessKeyId><StringToSign>${ANSWER}</StringToSign><code>${ANSWER}</code></Error>`;
const FAULTS: readonly Fault[] = [
  'failed',
  'stalled',
  'failed-but-persisted',
  'pass',
  ...[301, 400, 401, 403, 404, 409, 412, 429, 500, 503, 507].flatMap((status) => [
    { status, text: echo('SignatureDoesNotMatch') },
    { status, text: echo(ANSWER) },
    { status, text: `${ANSWER} is no XML` },
    { status, headers: { 'x-amz-error-code': ANSWER } },
  ]),
  { status: 200, text: `<${ANSWER}` },
  { status: 200, headers: { 'x-amz-meta-position': ANSWER, 'x-amz-meta-CANARYNAME06': ANSWER } },
];

let bucket: SomeBucket;
let proxy: FaultProxy;
beforeAll(async () => {
  bucket = await siteBucket();
  proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  await proxy.listen();
});
afterAll(() => proxy.close());

/** Everything that could be got out of what was thrown, hidden members and causes too. */
const everythingIn = (error: unknown) =>
  `${String(error)}${inspect(error, { depth: Infinity, showHidden: true, maxStringLength: Infinity })}${JSON.stringify(error)}`;

/** Every way into the package; what it throws. */
async function failuresOf(settings: S3SiteSettings): Promise<unknown[]> {
  const { key, metadata } = exampleObject('one');
  const store = new S3ObjectStore(settings);
  const reader = new S3SiteReader(settings);
  const custodian = new S3CustodianSite(settings, new S3Bucket(settings), {
    pause: async () => {},
  });
  const bytes = Buffer.from(SAMPLE.repeat(100));
  try {
    const work: readonly (() => Promise<unknown>)[] = [
      () => store.create(key, bytes, metadata),
      () => custodian.read(key),
      () => custodian.create({ key, bytes, metadata }),
      () => custodian.replace({ key, bytes, metadata }, { bytes, tag: '"1"' }),
      () => custodian.setAside(key.slice(-64), { bytes, metadata, tag: '"1"' }),
      () => reader.read(key),
      () => Array.fromAsync(reader.list()),
      () => verifyS3Site(settings),
      () => initS3Site(settings),
    ];
    return (await Promise.allSettled(work.map((one) => one()))).flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
  } finally {
    store.close();
    reader.close();
    custodian.close();
  }
}

test("no error holds a secret, a byte of a sample or a word of the store's answer, whatever goes wrong", async () => {
  const settings: S3SiteSettings = {
    ...bucket.settings,
    endpoint: proxy.endpoint,
    credentials: SECRETS,
    attempts: 1,
    timeouts: { connectMs: 500, requestMs: 100 },
  };
  const failures: unknown[] = [];
  for (const fault of FAULTS) {
    for (const method of ['PUT', 'HEAD', 'GET']) proxy.always(method, fault);
    failures.push(...(await failuresOf(settings)));
    proxy.heal();
  }
  expect(failures.length).toBeGreaterThan(150);
  const codes = [...S3_ERROR_CODES, ...CUSTODIAN_SITE_ERROR_CODES];
  for (const error of failures) {
    expect(codes.some((code) => hasCode(error, code))).toBe(true);
    expect(everythingIn(error)).not.toMatch(/CANARY/);
  }
});

test.each([
  'http://user:CANARYPASSWORD@127.0.0.1:9',
  'https://user:CANARYPASSWORD@[',
  'CANARYPASSWORD',
  'file:///CANARYPASSWORD',
])(
  'an endpoint that is none, or has a password in it, is refused at once and not repeated (%#)',
  async (endpoint) => {
    const [error] = await failuresOf({ ...bucket.settings, endpoint }).catch((caught: unknown) => [
      caught,
    ]);
    expect(error).toMatchObject({ code: 'INVALID_SITE_SETTINGS', remedy: 'stop' });
    expect(everythingIn(error)).not.toMatch(/CANARY/);
  },
);
