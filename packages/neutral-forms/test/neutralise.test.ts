import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMS, PASSWORD, neutralise } from '../src/index.ts';
import { digest, opensAgain, noise, written } from './opened.ts';
import { readCart, readZip } from './readers.ts';

describe.each(FORMS)('the form %s', (form) => {
  test('opens again, whatever the sample', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (sample) => {
        expect(await opensAgain(form, Buffer.from(sample))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('leaves the sample as it was', async () => {
    const sample = noise(100);
    await written(form, sample);
    expect(sample.equals(noise(100))).toBe(true);
  });
});

test('CaRT has the default key, and the name, the length and the digests of the sample', async () => {
  const sample = noise(1_000);
  expect(readCart(await written('cart', sample))).toEqual({
    // The first eight digits of pi, twice.
    key: '0301040105090206'.repeat(2),
    sample,
    header: { name: digest('sha256', sample) },
    footer: {
      length: '1000',
      md5: digest('md5', sample),
      sha1: digest('sha1', sample),
      sha256: digest('sha256', sample),
    },
  });
});

test('the same sample gives the same CaRT', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (sample) => {
      expect(await written('cart', sample)).toEqual(await written('cart', sample));
    }),
    { numRuns: 20 },
  );
});

test.each([
  ['zip', 99, { version: 2, strength: 3 }],
  ['zip-legacy', 8, undefined],
] as const)(
  '%s names its file by the digest, and gives no right to run it',
  async (form, method, aes) => {
    const sample = noise(1_000);
    const read = readZip(await written(form, sample), PASSWORD);
    expect(read).toMatchObject({ name: digest('sha256', sample), method });
    expect(read.mode & 0o111).toBe(0);
    if (aes === undefined) expect(read.aes).toBeUndefined();
    else expect([read.aes, read.crc]).toEqual([expect.objectContaining(aes), 0]);
  },
);

test.each(['cart', 'zip', 'zip-legacy'] as const)(
  'no part of the sample is readable in %s',
  async (form) => {
    // Noise is not compressed, so only encryption can hide it.
    const sample = noise(1_000);
    expect((await written(form, sample)).includes(sample.subarray(400, 416))).toBe(false);
  },
);

test.each([
  ['cart', 'application/x-cart', 'cart'],
  ['zip', 'application/zip', 'zip'],
  ['zip-legacy', 'application/zip', 'zip'],
  ['raw', 'application/octet-stream', 'bin'],
] as const)('%s is saved as %s, not shown', async (form, contentType, ending) => {
  const file = await neutralise(form, noise(1), {
    name: 'id-1',
    sha256: digest('sha256', noise(1)),
  });
  expect(file).toMatchObject({
    contentType,
    fileName: `id-1.${ending}`,
    contentDisposition: `attachment; filename="id-1.${ending}"`,
  });
});

test.each(['', 'invoice.exe', 'a"b', '../a', 'a\r\nb', 'é', 'a'.repeat(129)])(
  'the file name %j is refused',
  async (name) => {
    await expect(
      neutralise('raw', noise(1), { name, sha256: digest('sha256', noise(1)) }),
    ).rejects.toMatchObject({ code: 'NAME_INVALID', remedy: 'stop' });
  },
);

test.each(FORMS)('another sample than the digest names is not handed out as %s', async (form) => {
  await expect(
    neutralise(form, noise(1), { name: 'id-1', sha256: digest('sha256', noise(2)) }),
  ).rejects.toMatchObject({ code: 'DIGEST_DIFFERS', remedy: 'stop' });
});
