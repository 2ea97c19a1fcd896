import { objectKey, sha256OfParts } from '@residency/contracts';
import { expect, test } from 'vitest';
import { S3SiteReader } from '../src/s3-site-reader.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';

test('asks before each request, also for each page of a list, and makes none that is not allowed', async () => {
  const calls = new FakeBucket();
  const keys = Array.from({ length: 1_500 }, (_, index) =>
    objectKey(sha256OfParts('listed', String(index))),
  );
  for (const key of keys) calls.objects.set(key, { bytes: Buffer.from('x'), metadata: {} });
  let allowed = 3;
  const refused = new Error('It is enough.');
  const reader = new S3SiteReader(SOME_SETTINGS, {
    calls,
    before: async () => {
      allowed -= 1;
      if (allowed < 0) throw refused;
    },
  });
  expect(await Array.fromAsync(reader.list())).toHaveLength(1_500);
  await reader.read(keys[0] ?? '');
  await expect(reader.read(keys[1] ?? '')).rejects.toBe(refused);
  await expect(Array.fromAsync(reader.list())).rejects.toBe(refused);
  expect(calls.asked).toEqual(['list', 'list', 'get']);
});
