import { createPublicKey } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readContext, writeContext } from '../src/encryption-context.ts';
import { sealMessage } from '../src/seal-message.ts';
import { WrappingKey } from '../src/wrapping-key.ts';
import { newerKey, sha256 } from './fixtures.ts';
import { shapeOf } from './parse-message.ts';
import { openWithSdk, rawRsa, sealWithSdk } from './sdk.ts';
import { CHECKS } from './seal-checks.ts';

const to = new WrappingKey('zurich', newerKey.id, createPublicKey(newerKey.publicKeyPem));
const text = fc.string({ unit: 'binary', maxLength: 12 });
const context = fc
  .dictionary(text, text, { maxKeys: 6, noNullPrototype: true })
  .filter((values) => Object.keys(values).every((name) => !name.startsWith('aws-crypto-')));

describe('a sealed message', () => {
  it.each(CHECKS)('$name', async ({ run }) => {
    await expect(run({ sealMessage, WrappingKey })).resolves.toBeUndefined();
  });

  it('has the shape of what the SDK seals and opens with it, whatever is sealed and bound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        context,
        fc.integer({ min: 1, max: 64 }),
        async (sample, values, frameBytes) => {
          const { message, sha256: digest } = sealMessage(sample, { values, to, frameBytes });
          const theirs = await sealWithSdk({
            sample,
            values,
            to: rawRsa('residency/zurich', newerKey),
            frameLength: frameBytes,
          });
          expect(shapeOf(message)).toEqual(shapeOf(theirs));
          expect(digest).toBe(sha256(message));
          expect(await openWithSdk(newerKey, message)).toEqual({ sample, values });
        },
      ),
      { numRuns: 100, seed: 20_261_129 },
    );
  });
});

it('reads back the encryption context that it writes', () => {
  fc.assert(
    fc.property(context, (values) => {
      expect(readContext(writeContext(values))).toEqual(values);
    }),
    { numRuns: 1_000, seed: 20_261_130 },
  );
});
