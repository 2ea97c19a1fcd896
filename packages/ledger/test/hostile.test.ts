import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  decodeEntryBundle,
  decodeHashTile,
  openCheckpoint,
  openSignerKey,
  parseCheckpoint,
  parseNote,
  parseReceipt,
  parseVerifierKey,
  verifyReceipt,
} from '../src/index.ts';
import { GO } from './go-vectors.ts';
import { bytesOf } from './naive-tree.ts';
import { codeOf } from './rejects.ts';

const trust = {
  keys: [parseVerifierKey(GO.logVerifier)],
  witnesses: { keys: [parseVerifierKey(GO.witnessVerifier)], quorum: 1 },
};
const good = bytesOf(
  `c2sp.org/tlog-proof@v1\nindex 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n${GO.text}\n${GO.logLine}${GO.witnessLine}`,
);

/** A good receipt, cut, doubled, and with bytes replaced: what a hostile sender would try first. */
const damaged = fc
  .tuple(
    fc.nat(good.length),
    fc.nat(good.length),
    fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  )
  .map(([from, to, changes]) => {
    const bytes = Buffer.concat([good.subarray(0, to), good.subarray(Math.min(from, to))]);
    for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
    return new Uint8Array(bytes);
  });

describe('bytes from anywhere', () => {
  it('fail with a coded error, whichever reader they come to', async () => {
    const met = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array({ maxLength: 400 }), damaged),
        fc.nat(260),
        async (bytes, width) => {
          const text = Buffer.from(bytes).toString('utf8');
          const codes = await Promise.all(
            [
              () => verifyReceipt(bytes, bytes, trust),
              () => openCheckpoint(bytes, trust),
              () => parseReceipt(bytes),
              () => parseNote(bytes),
              () => parseCheckpoint(text),
              () => parseVerifierKey(text),
              () => openSignerKey(text),
              () => decodeEntryBundle(bytes, width),
              () => decodeHashTile(bytes, width),
            ].map(codeOf),
          );
          for (const code of codes) met.add(code);
        },
      ),
      { numRuns: 1_000 },
    );
    // Some damage got past each check.
    expect([...met]).toEqual(
      expect.arrayContaining([
        'INVALID_RECEIPT',
        'INVALID_NOTE',
        'INVALID_CHECKPOINT',
        'INVALID_KEY',
        'INVALID_ENTRY_BUNDLE',
        'INVALID_TILE',
        'INVALID_PROOF',
        'SIGNATURE_INVALID',
        'accepted',
      ]),
    );
  });

  // In quadratic time the ten readings of each would be hours, which the run's time limit ends.
  it('are read in linear time', async () => {
    for (const [head, unit, tail] of [
      ['', '\n', ''],
      ['', '— ', '\n'],
      ['\n\n', '— a b\n', ''],
      ['c2sp.org/tlog-proof@v1\nindex 5\n', 'A', '\n\n'],
      ['c2sp.org/tlog-proof@v1\nindex ', '1', '\n\n'],
      ['c2sp.org/tlog-proof@v1\nindex 1\n', 'A\n', '\n'],
    ]) {
      const bytes = bytesOf(`${head}${unit?.repeat(Math.floor(900_000 / unit.length))}${tail}`);
      for (let times = 0; times < 10; times += 1) {
        expect(await codeOf(() => parseNote(bytes))).toBe('INVALID_NOTE');
        expect(await codeOf(() => parseReceipt(bytes))).toMatch(/^INVALID_(?:NOTE|RECEIPT)$/);
      }
    }
  });
});

describe('without Ed25519', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each([
    ['no WebCrypto', undefined],
    ['a page over plain HTTP', {}],
  ])('in %s, verifying and signing answer CRYPTO_UNAVAILABLE', async (_, crypto) => {
    vi.stubGlobal('crypto', crypto);
    expect(
      await codeOf(() =>
        openCheckpoint(bytesOf(`${GO.text}\n${GO.logLine}`), { keys: trust.keys }),
      ),
    ).toBe('CRYPTO_UNAVAILABLE');
    expect(await codeOf(() => openSignerKey(GO.logSigner))).toBe('CRYPTO_UNAVAILABLE');
  });

  it('in a browser that does not know it, answers CRYPTO_UNAVAILABLE', async () => {
    const importKey = () =>
      Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'));
    vi.stubGlobal('crypto', { subtle: { importKey } });
    expect(
      await codeOf(() =>
        openCheckpoint(bytesOf(`${GO.text}\n${GO.logLine}`), { keys: trust.keys }),
      ),
    ).toBe('CRYPTO_UNAVAILABLE');
    expect(await codeOf(() => openSignerKey(GO.logSigner))).toBe('CRYPTO_UNAVAILABLE');
  });

  it('a key that the browser refuses is INVALID_KEY', async () => {
    vi.stubGlobal('crypto', {
      subtle: { importKey: () => Promise.reject(new DOMException('', 'DataError')) },
    });
    expect(
      await codeOf(() =>
        openCheckpoint(bytesOf(`${GO.text}\n${GO.logLine}`), { keys: trust.keys }),
      ),
    ).toBe('INVALID_KEY');
  });
});
