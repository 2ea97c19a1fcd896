import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Signer, amzDate, encodePath } from '../src/sigv4.ts';
import { preparedBySdk } from './sdk-witness.ts';

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const EMPTY = sha256('');

/** From the specification: "Example: GET Object" and "PUT Object" of Signature Version 4 for S3. */
const SPECIFIED = {
  credentials: {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  },
  time: '20130524T000000Z',
};

test.each([
  [
    'GET',
    '/test.txt',
    EMPTY,
    [
      'host',
      'examplebucket.s3.amazonaws.com',
      'range',
      'bytes=0-9',
      'x-amz-content-sha256',
      EMPTY,
      'x-amz-date',
      SPECIFIED.time,
    ],
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT',
    encodePath('/test$file.text'),
    sha256('Welcome to Amazon S3.'),
    [
      'date',
      'Fri, 24 May 2013 00:00:00 GMT',
      'host',
      'examplebucket.s3.amazonaws.com',
      'x-amz-content-sha256',
      sha256('Welcome to Amazon S3.'),
      'x-amz-date',
      SPECIFIED.time,
      'x-amz-storage-class',
      'REDUCED_REDUNDANCY',
    ],
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
])("signs the specification's own %s", (method, path, payloadSha256, headers, signature) => {
  expect(
    new Signer('us-east-1', 's3').authorization(
      { method, path, headers, payloadSha256 },
      SPECIFIED.credentials,
      SPECIFIED.time,
    ),
  ).toMatch(new RegExp(`Signature=${signature}$`));
});

const key = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
      fc.constantFrom('samples', '%2F', 'a b', '+', "!'()*", '~.-_', 'ü', '日本', '..', '?x=1#y'),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((segments) => segments.join('/'))
  .filter((text) => text.isWellFormed() && !text.startsWith('/') && text !== '');
const metadata = fc.dictionary(
  fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/),
  fc.stringMatching(/^[ \t!-~]{0,40}$/),
  { maxKeys: 6 },
);
const witnessed = fc.record({
  key,
  metadata,
  isHead: fc.boolean(),
  forcePathStyle: fc.boolean(),
  bucket: fc.constantFrom('bucket', 'a.b-c'),
  region: fc.constantFrom('us-east-1', 'eu-central-2', 'cn-north-1'),
  endpoint: fc.constantFrom(undefined, 'http://localhost:9000', 'https://[::1]:9000/base'),
  sessionToken: fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{1,60}$/), { nil: undefined }),
  secretAccessKey: fc.stringMatching(/^[!-~]{1,40}$/),
});

test("its path and signature are the SDK's, whatever the key, the metadata, the style, the endpoint and the credentials", async () => {
  await fc.assert(
    fc.asyncProperty(witnessed, async (one) => {
      const credentials = {
        accessKeyId: 'AKID',
        secretAccessKey: one.secretAccessKey,
        ...(one.sessionToken === undefined ? {} : { sessionToken: one.sessionToken }),
      };
      const { method, path, headers } = await preparedBySdk(
        {
          region: one.region,
          forcePathStyle: one.forcePathStyle,
          credentials,
          requestChecksumCalculation: 'WHEN_REQUIRED',
          ...(one.endpoint === undefined ? {} : { endpoint: one.endpoint }),
        },
        {
          Bucket: one.bucket,
          Key: one.key,
          isHead: one.isHead,
          ...(one.isHead
            ? {}
            : { Body: Buffer.from('body'), IfNoneMatch: '*', Metadata: one.metadata }),
        },
      );
      const { authorization = '', 'user-agent': _, ...signed } = headers;
      const time = signed['x-amz-date'] ?? '';
      expect(path.endsWith(`/${encodePath(one.key)}`)).toBe(true);
      expect(
        new Signer(one.region, 's3').authorization(
          {
            method,
            path,
            // In the SDK's order, which is none.
            headers: Object.entries(signed).flat(),
            payloadSha256: one.isHead ? EMPTY : sha256('body'),
          },
          credentials,
          time,
        ),
      ).toBe(authorization);
    }),
    { numRuns: 60 },
  );
});

test('a signing key is derived anew for another day, and for other credentials', () => {
  const request = { method: 'HEAD', path: '/', headers: ['host', 'h'], payloadSha256: EMPTY };
  const used = new Signer('us-east-1', 's3');
  for (const [secretAccessKey, time] of [
    ['one', '20261129T235959Z'],
    ['one', '20261130T000000Z'],
    ['two', '20261130T000000Z'],
    ['one', '20261130T000000Z'],
  ] as const) {
    const credentials = { accessKeyId: 'A', secretAccessKey };
    expect(used.authorization(request, credentials, time)).toBe(
      new Signer('us-east-1', 's3').authorization(request, credentials, time),
    );
  }
});

test('a time is written as the header has it', () => {
  expect(amzDate(Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toBe('20260102T030405Z');
});
