import { codeOf } from '@residency/coded-error';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DirectRequests } from '../src/direct-requests.ts';
import { S3Bucket } from '../src/s3-client.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';
import { SOME_SETTINGS } from './fake-bucket.ts';
import { WireStore } from './wire-store.ts';

// Whatever a store answers, it means the same whether the SDK read it or `DirectRequests` did.

let wire: WireStore;
let settings: S3SiteSettings;
const opened: S3Bucket[] = [];
beforeEach(async () => {
  wire = new WireStore();
  settings = {
    ...SOME_SETTINGS,
    bucket: 'bucket',
    endpoint: await wire.listen(),
    credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
    attempts: 1,
  };
});
afterEach(() => {
  for (const bucket of opened.splice(0)) bucket.close();
  wire.close();
  vi.restoreAllMocks();
});

const STATUSES = [
  200, 201, 204, 206, 301, 304, 307, 400, 401, 403, 404, 405, 409, 411, 412, 416, 429, 500, 501,
  503, 507, 599,
];
const CODES = [
  'AccessDenied',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'SlowDown',
  'NoSuchBucket',
  'NoSuchKey',
  'PermanentRedirect',
  'RequestTimeTooSkewed',
  'BadDigest',
  'QuotaExceeded',
  'Unheard.Of',
];
const BODIES: readonly (readonly [type: string, body: string])[] = [
  ['', ''],
  ['text/html', '<html>Please sign in</html>'],
  ['application/xml', '<Error><Code>'],
  ['application/xml', '<?xml version="1.0"?>\n<Error xmlns="x"><Message>m</Message></Error>'],
  ...CODES.map(
    (code) =>
      [
        'application/xml',
        `<?xml version="1.0"?>\n<Error>\n  <Code>${code}</Code><Message>m</Message></Error>`,
      ] as const,
  ),
];
const HEADERS = [
  '',
  'ETag: "1"\r\n',
  'ETag: "1"\r\nx-amz-version-id: v1\r\nX-Amz-Meta-Country:  CH \r\nx-amz-meta-a: \xe9\r\n',
  'x-amz-request-id: 1\r\n',
];

async function outcomesOf(bucket: S3Bucket): Promise<unknown[]> {
  const put = { key: 'a', bytes: Buffer.from('b'), sha256: 'c'.repeat(64), metadata: {} };
  const outcomes = await Promise.allSettled([bucket.putIfAbsent(put), bucket.head('a')]);
  return outcomes.map((one) =>
    one.status === 'fulfilled' ? one.value : [codeOf(one.reason), String(one.reason)],
  );
}

test.each(STATUSES)('a status of %i, with any headers and any body', async (status) => {
  const direct = new S3Bucket(settings);
  const bySdk = new S3Bucket(settings);
  opened.push(direct, bySdk);
  const open = vi.spyOn(DirectRequests, 'open').mockResolvedValue(undefined as never);
  wire.always = (_request, _socket, body) =>
    body && 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';
  await bySdk.head('first');
  open.mockRestore();
  for (const headers of HEADERS)
    for (const [type, text] of BODIES) {
      wire.always = ({ method }, _socket, body) => {
        if (body === undefined) return undefined;
        const length = status === 204 || status === 304 ? '' : `Content-Length: ${text.length}\r\n`;
        const head = `HTTP/1.1 ${status} Any\r\n${headers}${type === '' ? '' : `Content-Type: ${type}\r\n`}${length}\r\n`;
        return method === 'HEAD' || length === '' ? head : head + text;
      };
      const seen = wire.seen.length;
      expect([headers, text, ...(await outcomesOf(direct))]).toEqual([
        headers,
        text,
        ...(await outcomesOf(bySdk)),
      ]);
      expect(wire.seen.length - seen).toBe(4);
    }
  // The first of these two buckets is the one that does without the SDK.
  const agents = wire.seen.map(({ head }) => /amz-sdk-request/i.test(head));
  expect([agents.filter(Boolean).length, agents.length]).toEqual([
    1 + (agents.length - 1) / 2,
    agents.length,
  ]);
});
