import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { bodyWithin } from '../src/vault/body-within.ts';

const SAMPLE = randomBytes(300_000);

test('a sample is sent whole within the lifetime of its access', async () => {
  for (const size of [0, 1, 65_536, 65_537, SAMPLE.length]) {
    const bytes = SAMPLE.subarray(0, size);
    const pieces = await bodyWithin(bytes, () => true).toArray();
    expect(Buffer.concat(pieces as Buffer[]).equals(bytes)).toBe(true);
  }
});

test('no piece of it is sent once the access has ended', async () => {
  for (const most of [0, 1, 3]) {
    let asked = 0;
    const received: Buffer[] = [];
    const sending = async (): Promise<void> => {
      for await (const piece of bodyWithin(SAMPLE, () => asked++ < most))
        received.push(piece as Buffer);
    };
    await expect(sending()).rejects.toMatchObject({ init: { code: 'ACCESS_EXPIRED' } });
    expect(Buffer.concat(received).length).toBeLessThanOrEqual(most * 65_536);
  }
});

test('a client that is slow has one piece on its way, and no other follows after the end', async () => {
  let isAlive = true;
  let received = 0;
  let release = (): void => undefined;
  const slow = new Writable({
    highWaterMark: 65_536,
    write: (piece: Buffer, _, done) => {
      received += piece.length;
      release = done;
    },
  });
  const sending = pipeline(
    bodyWithin(SAMPLE, () => isAlive),
    slow,
  );
  await expect.poll(() => received).toBe(65_536);
  isAlive = false;
  release();
  await expect(sending).rejects.toMatchObject({ init: { code: 'ACCESS_EXPIRED' } });
  expect(received).toBe(65_536);
});
