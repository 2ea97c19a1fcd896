import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSealedHeader } from '../src/index.ts';
import type { SealingErrorCode } from '../src/index.ts';
import { newerKey, refusal, vector, vectors } from './fixtures.ts';

const { message, context } = vector('text');
// Version, suite and message id; then the context's length.
const CONTEXT_LENGTH = 1 + 2 + 32;

/** `read`, or the code of a `SealingError`; anything else fails the test. */
async function answer(bytes: Uint8Array): Promise<SealingErrorCode | 'read'> {
  try {
    expect(Object.keys(readSealedHeader(bytes)).toSorted()).toEqual([
      'policyDigest',
      'region',
      'sampleSha256',
      'submission',
      'wrappingKeys',
    ]);
    return 'read';
  } catch (error) {
    return refusal(() => {
      throw error;
    });
  }
}

describe('of 5,000 seeded messages each is read or refused with a code:', () => {
  const runs = { numRuns: 2_500, seed: 20_261_004 };

  it('random bytes, also behind the right first ones', async () => {
    const met = new Set<string>();
    const start = fc.constantFrom(
      0,
      3,
      CONTEXT_LENGTH,
      CONTEXT_LENGTH + 2,
      CONTEXT_LENGTH + 4,
      100,
      300,
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 600 }), async (kept, rest) => {
        met.add(await answer(Buffer.concat([message.subarray(0, kept), rest])));
      }),
      runs,
    );
    expect([...met]).toContain('NOT_A_SEALED_SAMPLE');
    expect([...met]).not.toContain('read');
  });

  it('vectors with bytes replaced, removed or put in', async () => {
    const met = new Set<string>();
    const change = fc.record({
      at: fc.nat(1_200),
      kind: fc.constantFrom('replace', 'remove', 'insert'),
      byte: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...vectors),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (vector, changes) => {
          const bytes = [...vector.message];
          for (const { at, kind, byte } of changes)
            bytes.splice(
              at % (bytes.length + 1),
              kind === 'insert' ? 0 : 1,
              ...(kind === 'remove' ? [] : [byte]),
            );
          met.add(await answer(Buffer.from(bytes)));
        },
      ),
      runs,
    );
    expect([...met].toSorted()).toEqual(['CONTEXT_INVALID', 'NOT_A_SEALED_SAMPLE', 'read']);
  });
});

describe('a header', () => {
  it('is read from the middle of a larger buffer', () => {
    const around = new Uint8Array(message.length + 20);
    around.set(message, 10);
    expect(readSealedHeader(around.subarray(10, -10))).toEqual({
      ...context,
      wrappingKeys: [newerKey.id],
    });
  });

  it.each([0xffff, 0x8000, 1])('that says its context has %i bytes is refused', async (length) => {
    const altered = Buffer.from(message);
    altered.writeUInt16BE(length, CONTEXT_LENGTH);
    expect(await answer(altered)).toBe('NOT_A_SEALED_SAMPLE');
  });

  it.each([0xffff, 5, 3, 0])('that says its context has %i pairs is refused', async (count) => {
    const altered = Buffer.from(message);
    altered.writeUInt16BE(count, CONTEXT_LENGTH + 2);
    expect(await answer(altered)).toBe('NOT_A_SEALED_SAMPLE');
  });

  it('that names a value twice is refused', async () => {
    const altered = Buffer.from(
      message.toString('latin1').replace('policy-digest', 'sample-sha256'),
      'latin1',
    );
    expect(await answer(altered)).toBe('NOT_A_SEALED_SAMPLE');
  });

  it.each([
    ['nothing', ''],
    ['text', 'CANARY'],
    ['another version', `01${message.toString('hex').slice(2)}`],
    ['a suite with a signature', `020578${message.toString('hex').slice(6)}`],
  ])('of %s is refused', async (_what, hex) => {
    expect(await answer(Buffer.from(hex, hex === 'CANARY' ? 'latin1' : 'hex'))).toBe(
      'NOT_A_SEALED_SAMPLE',
    );
  });
});
