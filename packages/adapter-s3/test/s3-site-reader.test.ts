import {
  ERASURE_PROBE_KEYS,
  SET_ASIDE_PREFIX,
  SITE_PROBE,
  objectKey,
  setAsideKey,
  sha256OfParts,
} from '@residency/contracts';
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

test('what a custodian set aside is not foreign, and everything else beside it is', async () => {
  const calls = new FakeBucket();
  const submission = sha256OfParts('listed', 'one');
  const [key, kept] = [objectKey(submission), setAsideKey(submission, submission)];
  const strange = [`${kept}.json`, `${kept}/deep`, 'damaged/note.txt', kept.toUpperCase()];
  for (const each of [key, kept, ...strange])
    calls.objects.set(each, { bytes: Buffer.from('x'), metadata: {} });
  const found = await Array.fromAsync(new S3SiteReader(SOME_SETTINGS, { calls }).list());
  expect(found.filter(({ foreign }) => !foreign)).toEqual([
    { key: kept, foreign: false },
    { key, foreign: false },
  ]);
  expect(found.filter(({ foreign }) => foreign).map((entry) => entry.key)).toEqual(
    strange.toSorted(),
  );
});

test('what a custodian set aside is listed by its prefix alone, and read', async () => {
  const calls = new FakeBucket();
  const submission = sha256OfParts('listed', 'one');
  const kept = setAsideKey(submission, submission);
  for (const each of [objectKey(submission), kept])
    calls.objects.set(each, { bytes: Buffer.from(each), metadata: {} });
  const reader = new S3SiteReader(SOME_SETTINGS, { calls });
  expect(await Array.fromAsync(reader.list(SET_ASIDE_PREFIX))).toEqual([
    { key: kept, foreign: false },
  ]);
  expect(await reader.read(kept)).toEqual({ bytes: Buffer.from(kept) });
  expect(await reader.read(`${kept}.json`)).toBeUndefined();
});

test('lists a site by first digits, eight at a time, and ends with the first failure', async () => {
  let [running, most, asked] = [0, 0, 0];
  const calls = new FakeBucket();
  const failure = new Error('It is over.');
  const list = async (prefix: string) => {
    [running, asked] = [running + 1, asked + 1];
    most = Math.max(most, running);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    running -= 1;
    if (prefix === 'samples/c') throw failure;
    return { keys: [], ...(prefix === 'samples/0' && asked < 100 ? { next: 'more' } : {}) };
  };
  const reader = new S3SiteReader(SOME_SETTINGS, { calls: Object.assign(calls, { list }) });
  await expect(Array.fromAsync(reader.submissions())).rejects.toBe(failure);
  expect(most).toBe(8);
  const before = asked;
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
  // No list goes on behind its failure.
  expect(asked).toBe(before);
});

test.each(ERASURE_PROBE_KEYS.flatMap((key) => [key, `${key}-6f1c`]))(
  'the probe of erasing is not listed (%s), and other bytes under its key are foreign',
  async (key) => {
    const calls = new FakeBucket();
    const reader = new S3SiteReader(SOME_SETTINGS, { calls });
    calls.objects.set(key, { bytes: Buffer.from(SITE_PROBE), metadata: {} });
    expect(await Array.fromAsync(reader.list())).toEqual([]);
    expect((await Array.fromAsync(reader.submissions())).flat()).toEqual([]);
    calls.objects.set(key, { bytes: Buffer.from('x'), metadata: {} });
    expect(await Array.fromAsync(reader.list())).toEqual([{ key, foreign: true }]);
  },
);
