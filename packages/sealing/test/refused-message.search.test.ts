import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sealMessage } from '../src/seal-message.ts';
import { WrappingKey } from '../src/wrapping-key.ts';
import { newerKey } from './fixtures.ts';
import { openWithSdk } from './sdk.ts';

const to = new WrappingKey('zurich', newerKey.id, createPublicKey(newerKey.publicKeyPem));

describe('the SDK refuses a small message', () => {
  const { message } = sealMessage(Buffer.from('harmless'), {
    values: { a: 'b' },
    to,
    frameBytes: 5,
  });
  const opens = async (altered: Buffer): Promise<boolean> =>
    await openWithSdk(newerKey, altered).then(
      () => true,
      () => false,
    );

  it('cut short, whatever its length', async () => {
    const opened: number[] = [];
    for (let length = 0; length < message.length; length += 1)
      if (await opens(message.subarray(0, length))) opened.push(length);
    expect(opened).toEqual([]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('with bit %i flipped, of whichever byte', async (bit) => {
    const opened: number[] = [];
    for (const [at, byte] of message.entries()) {
      const altered = Buffer.from(message);
      altered[at] = byte ^ (1 << bit);
      if (await opens(altered)) opened.push(at);
    }
    expect(opened).toEqual([]);
  });

  it('not unaltered, so that the above means something', async () => {
    await expect(opens(message)).resolves.toBe(true);
  });
});
