import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  COSIGNATURE,
  NOTE_SIGNATURE,
  formatVerifierKey,
  makeKey,
  openSignerKey,
  parseVerifierKey,
} from '../src/index.ts';
import { GO } from './go-vectors.ts';
import { bytesOf } from './naive-tree.ts';
import { codeOf } from './rejects.ts';

// Package golang.org/x/mod/sumdb/note, "Verifying Notes", and the specification's own example.
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_SIGNER =
  'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const FOO = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';

describe('a verifier key', () => {
  it.each([
    [PETER, 0xc74f20a3, NOTE_SIGNATURE],
    [FOO, 0x530d903a, NOTE_SIGNATURE],
    [GO.logVerifier, 0x7ed49f41, NOTE_SIGNATURE],
    [GO.witnessVerifier, 0x109e9472, COSIGNATURE],
  ])('%s is read, and written as it was', (text, id, type) => {
    const key = parseVerifierKey(text);
    expect(key).toMatchObject({ name: text.split('+')[0], id, type });
    expect(formatVerifierKey(key)).toBe(text);
  });

  it.each([
    '',
    'PeterNeumann',
    'PeterNeumann+c74f20a3',
    'PeterNeumann+c74f20a3+',
    '+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    PETER_SIGNER,
    `${PETER}\n`,
    ` ${PETER}`,
    PETER.replace('c74f20a3', 'C74F20A3'),
    PETER.replace('c74f20a3', 'c74f20a4'),
    PETER.replace('c74f20a3', '74f20a3'),
    PETER.replace('Peter', 'Pete'),
    PETER.replace('Peter', 'Peter '),
    PETER.replace('Peter', 'Peter\u0085'),
    PETER.replace('TW', 'TX'),
    `${PETER}==`,
    // As in sumdb/note's own tests: another length, another algorithm, each with the id that fits.
    'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
    'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  ])('answers INVALID_KEY to %j', async (text) => {
    expect(await codeOf(() => parseVerifierKey(text))).toBe('INVALID_KEY');
  });

  it('read from anything fails with a coded error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => `a+00000000+${text}`),
        ),
        async (text) => {
          expect(['accepted', 'INVALID_KEY']).toContain(await codeOf(() => parseVerifierKey(text)));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a signer key', () => {
  it('is opened, and knows the key that verifies', async () => {
    expect(formatVerifierKey((await openSignerKey(PETER_SIGNER)).key)).toBe(PETER);
    expect(formatVerifierKey((await openSignerKey(GO.logSigner)).key)).toBe(GO.logVerifier);
  });

  it('signs under another name where it is told to, as a key of that name', async () => {
    const { key, sign } = await openSignerKey(PETER_SIGNER, 'ledger.example/3');
    expect(key).toEqual(parseVerifierKey(formatVerifierKey(key)));
    const own = await openSignerKey(PETER_SIGNER);
    expect([key.name, key.publicKey, await sign(new Uint8Array(3))]).toEqual([
      'ledger.example/3',
      own.key.publicKey,
      await own.sign(new Uint8Array(3)),
    ]);
    expect(key.id).not.toBe(own.key.id);
    expect(await codeOf(() => openSignerKey(PETER_SIGNER, 'a b'))).toBe('INVALID_KEY');
  });

  it('is made of a seed and a name, as Go makes it', async () => {
    const seed = (text: string) =>
      crypto.subtle
        .digest('SHA-256', bytesOf(text).slice())
        .then((digest) => new Uint8Array(digest));
    expect(
      await makeKey(
        'ledger.example/audit',
        await seed('residency ledger test log'),
        NOTE_SIGNATURE,
      ),
    ).toEqual({ signerKey: GO.logSigner, verifierKey: GO.logVerifier });
    const { signerKey, verifierKey } = await makeKey(
      GO.witnessName,
      await seed(GO.witnessSeed),
      COSIGNATURE,
    );
    expect(verifierKey).toBe(GO.witnessVerifier);
    expect(formatVerifierKey((await openSignerKey(signerKey)).key)).toBe(GO.witnessVerifier);
  });

  it('does not show its secret: not in what is opened, and in no message', async () => {
    const secret = 'gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM';
    const opened = await openSignerKey(PETER_SIGNER);
    expect(`${JSON.stringify(opened)}${String(opened.sign)}`).not.toContain(secret.slice(0, 12));
    for (const wrong of [
      `x${PETER_SIGNER}`,
      `${PETER_SIGNER}x`,
      PETER_SIGNER.replace('c74f20a3', 'c74f20a4'),
      PETER_SIGNER.replace('+AYEK', '+YYEK'),
      `${PETER_SIGNER}AAAA`,
    ]) {
      const error = await openSignerKey(wrong).then(
        () => 'accepted',
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: 'INVALID_KEY' });
      expect((error as Error).cause).toBeUndefined();
      expect(String(error)).not.toContain('EKFALVFGyNhPJEMzD1QIDr');
    }
  });

  it.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\u0001', '\ud800'])(
    'is not made for the name %j',
    async (name) => {
      expect(await codeOf(() => makeKey(name, new Uint8Array(32), NOTE_SIGNATURE))).toBe(
        'INVALID_KEY',
      );
    },
  );

  it.each([0, 31, 33, 64])('is not made of a seed of %i bytes', async (length) => {
    expect(await codeOf(() => makeKey('a', new Uint8Array(length), NOTE_SIGNATURE))).toBe(
      'INVALID_KEY',
    );
  });
});
