import { describe, expect, it } from 'vitest';
import { openSealed, readSealedHeader } from '../src/index.ts';
import { refusal, refused, sha256, testKeys, vectors, held } from './fixtures.ts';

it('has vectors of this sealer and of the one before, of an older key, of both regions and of another implementation', () => {
  expect(vectors.map(({ name }) => name).toSorted()).toEqual([
    'not-ascii',
    'older-key',
    'one-byte',
    'python',
    'python-whole-frames',
    'region-sealer',
    'region-sealer-not-ascii',
    'text',
  ]);
});

describe.each(vectors)(
  'the vector $name, written by $writtenBy',
  ({ message, sealedSha256, wrappingKey, context, sample }) => {
    it('is the message it was', () => {
      expect(sha256(message)).toBe(sealedSha256);
    });

    it('says in its header what is bound to it and which key wrapped it', () => {
      expect(readSealedHeader(message)).toEqual({ ...context, wrappingKeys: [wrappingKey] });
    });

    it('opens to its sample and context with all keys of its region', async () => {
      expect(await openSealed(message, context.region, held(testKeys(context.region)))).toEqual({
        sample: Buffer.from(sample),
        context,
      });
      expect(context.sampleSha256).toBe(sha256(sample));
    });
  },
);

it('a message without frames, good for the SDK that wrote it, is refused', async () => {
  expect(refused.map(({ name }) => name)).toEqual(['python-unframed']);
  for (const { message } of refused)
    await expect(
      refusal(() => openSealed(message, 'zurich', held(testKeys('zurich')))),
    ).resolves.toBe('NOT_A_SEALED_SAMPLE');
});
