import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegionSealer, openSealed, readSealedHeader } from '../src/index.ts';
import {
  CANARY,
  contextOf,
  moscowKey,
  newerKey,
  olderKey,
  refusal,
  sealTo,
  sha256,
  zurichKeys,
  held,
} from './fixtures.ts';

const MIB = 1024 * 1024;

describe('a sealed sample', () => {
  it.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB, 24 * MIB])(
    'of %i bytes opens to the same bytes and context',
    async (size) => {
      const sample = Buffer.alloc(
        size,
        'a pattern whose length is a prime number of bytes, 61 in all.',
      );
      const sealed = await sealTo(newerKey, sample);
      const opened = await openSealed(sealed.message, 'zurich', held(zurichKeys));
      expect(opened.sample.equals(sample)).toBe(true);
      expect(opened.context).toEqual(contextOf(sample));
      expect(sealed).toMatchObject({
        sealedSha256: sha256(sealed.message),
        wrappingKey: newerKey.id,
      });
    },
  );

  it('opens to the same bytes and context, whatever they are', async () => {
    const digest = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('hex'));
    const bytes = fc
      .uint8Array({ minLength: 1, maxLength: 10_000 })
      .map((content) => Buffer.from(content));
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,63}$/),
        digest,
        digest,
        async (sample, region, policyDigest, submission) => {
          const context = { region, policyDigest, sampleSha256: sha256(sample), submission };
          // An id that names no region, so that it fits any.
          const key = { ...newerKey, id: 'any-region' };
          const { message } = await sealTo(key, sample, context);
          expect(readSealedHeader(message)).toEqual({ ...context, wrappingKeys: [key.id] });
          expect(await openSealed(message, region, held([key]))).toEqual({ sample, context });
        },
      ),
      { numRuns: 100, seed: 20_261_003 },
    );
  });

  it('never is the same message twice, nor shows its sample', async () => {
    const first = await sealTo(newerKey, CANARY);
    const second = await sealTo(newerKey, CANARY);
    expect(first.message.equals(second.message)).toBe(false);
    expect(first.message.includes(CANARY.subarray(0, 8))).toBe(false);
  });

  it('leaves the sample it was given as it was', async () => {
    const sample = Buffer.from(CANARY);
    await sealTo(newerKey, sample);
    expect(sample.equals(CANARY)).toBe(true);
  });
});

describe('after a newer key was added', () => {
  it('the newer seals, and what the older sealed still opens', async () => {
    let newest = olderKey;
    const sealer = new RegionSealer({ newest: () => newest });
    const before = await sealer.seal(CANARY, contextOf(CANARY));
    newest = newerKey;
    const after = await sealer.seal(CANARY, contextOf(CANARY));
    expect([before.wrappingKey, after.wrappingKey]).toEqual([olderKey.id, newerKey.id]);
    for (const { message } of [before, after])
      expect((await openSealed(message, 'zurich', held(zurichKeys))).sample).toEqual(CANARY);
    await expect(
      refusal(() => openSealed(after.message, 'zurich', held([olderKey]))),
    ).resolves.toBe('NO_KEY_FOR_MESSAGE');
  });
});

describe('sealing is refused', () => {
  it('without a key of the region', async () => {
    const sealer = new RegionSealer({
      newest: (region) => (region === 'moscow' ? moscowKey : undefined),
    });
    await expect(refusal(() => sealer.seal(CANARY, contextOf(CANARY)))).resolves.toBe(
      'NO_SEALING_KEY',
    );
  });

  const pkcs1 = createPrivateKey(newerKey.privateKeyPem).export({ type: 'pkcs1', format: 'pem' });
  const spki = {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  } as const;
  const cases: readonly (readonly [what: string, pem: string])[] = [
    ['a private key', newerKey.privateKeyPem],
    ['a private key in PKCS#1', pkcs1],
    ['a public key with its private one behind it', newerKey.publicKeyPem + newerKey.privateKeyPem],
    ['a private key with its public one behind it', newerKey.privateKeyPem + newerKey.publicKeyPem],
    ['two public keys', newerKey.publicKeyPem + olderKey.publicKeyPem],
    [
      'a private key that says it is public',
      newerKey.privateKeyPem.replaceAll('PRIVATE', 'PUBLIC'),
    ],
    ['a public key cut short', newerKey.publicKeyPem.replace(/\n.*\n(?=-----END)/, '\n')],
    [
      'a public key of 2048 bits',
      generateKeyPairSync('rsa', { modulusLength: 2048, ...spki }).publicKey,
    ],
    ['a public key that cannot wrap', generateKeyPairSync('ed25519', spki).publicKey],
    [
      'an RSA key that may only sign',
      generateKeyPairSync('rsa-pss', { modulusLength: 3072, ...spki }).publicKey,
    ],
    ['nothing', ''],
  ];
  it.each(cases)('with %s in the place of a public key', async (_what, publicKeyPem) => {
    await expect(refusal(() => sealTo({ id: newerKey.id, publicKeyPem }, CANARY))).resolves.toBe(
      'NOT_A_PUBLIC_KEY',
    );
  });

  it('when a value does not fit into a message', async () => {
    const submission = 'a'.repeat(2 ** 16);
    await expect(
      refusal(() => sealTo(newerKey, CANARY, { ...contextOf(CANARY), submission })),
    ).resolves.toBe('SEALING_FAILED');
  });
});

it('seals with a public key whose lines end as on Windows', async () => {
  const { message } = await sealTo(
    { id: newerKey.id, publicKeyPem: newerKey.publicKeyPem.replaceAll('\n', '\r\n') },
    CANARY,
  );
  expect((await openSealed(message, 'zurich', held(zurichKeys))).sample).toEqual(CANARY);
});
