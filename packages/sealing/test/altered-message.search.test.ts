import { describe, expect, it } from 'vitest';
import { openSealed, readSealedHeader } from '../src/index.ts';
import type { SealingErrorCode } from '../src/index.ts';
import {
  CANARY,
  boundValues,
  foreignMessage,
  newerKey,
  refusal,
  sealTo,
  vector,
  zurichKeys,
  held,
} from './fixtures.ts';

// Stores control these bytes. Whatever was done to them, nothing but the sample that was sealed may
// come out.
const open = (message: Buffer) => openSealed(message, 'zurich', held(zurichKeys));

/** The codes of opening each of `messages`, none of which may open. */
async function refusals(messages: Iterable<Buffer>): Promise<Map<SealingErrorCode, number>> {
  const codes = new Map<SealingErrorCode, number>();
  for (const message of messages) {
    const code = await refusal(() => open(message));
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  return codes;
}

function total(codes: ReadonlyMap<SealingErrorCode, number>): number {
  return codes.values().reduce((sum, count) => sum + count, 0);
}

function flipped(message: Buffer, at: number): Buffer {
  const altered = Buffer.from(message);
  altered.writeUInt8(altered.readUInt8(at) ^ (1 << (at % 8)), at);
  return altered;
}

// One of ours in one frame, one of another implementation in several.
describe.each([vector('text'), vector('python')])(
  'a message like the vector $name',
  ({ message }) => {
    it('does not open cut short, whatever its length', async () => {
      const codes = await refusals(
        Array.from(message, (_byte, length) => message.subarray(0, length)),
      );
      expect(total(codes)).toBe(message.length);
      expect([...codes.keys()].toSorted()).toEqual(['DOES_NOT_OPEN', 'NOT_A_SEALED_SAMPLE']);
    });

    it('does not open with one bit flipped, whichever byte it is in', async () => {
      const codes = await refusals(Array.from(message, (_byte, at) => flipped(message, at)));
      expect(total(codes)).toBe(message.length);
      expect([...codes.keys()].toSorted()).toEqual([
        'CONTEXT_INVALID',
        'DOES_NOT_OPEN',
        'NOT_A_SEALED_SAMPLE',
        'NO_KEY_FOR_MESSAGE',
      ]);
    });

    it('does not open with anything behind it', async () => {
      const behind = [
        Buffer.of(0),
        Buffer.of(0xff),
        Buffer.alloc(64),
        Buffer.from('ffffffff', 'hex'),
        message,
        message.subarray(-1),
        Buffer.alloc(100_000),
      ];
      expect([...(await refusals(behind.map((more) => Buffer.concat([message, more]))))]).toEqual([
        ['DOES_NOT_OPEN', behind.length],
      ]);
    });

    it('does not open with a byte put in or taken out anywhere in its body', async () => {
      const body = message.length - 200;
      const altered = Array.from({ length: 200 }, (_, nth) => body + nth).flatMap((at) => [
        Buffer.concat([message.subarray(0, at), message.subarray(at + 1)]),
        Buffer.concat([message.subarray(0, at), Buffer.of(at % 256), message.subarray(at)]),
      ]);
      expect([...(await refusals(altered))]).toEqual([['DOES_NOT_OPEN', altered.length]]);
    });

    it('opens unaltered, so that the above means something', async () => {
      expect((await open(message)).sample.length).toBeGreaterThan(0);
    });
  },
);

describe('a message of several frames', () => {
  const FRAME = 16;
  // Sequence number, IV, ciphertext, tag; the last frame has two more fields of four bytes (AWS
  // Encryption SDK, "framed data").
  const WHOLE = 4 + 12 + FRAME + 16;
  const sample = CANARY.subarray(0, 3 * FRAME + 4);
  const LAST = WHOLE + 4 + 4 - (FRAME - 4);

  async function parts(): Promise<{
    head: Buffer;
    frames: readonly [Buffer, Buffer, Buffer];
    last: Buffer;
  }> {
    const message = await foreignMessage({
      sample,
      frameLength: FRAME,
      values: boundValues('zurich', sample),
    });
    const body = message.length - 3 * WHOLE - LAST;
    const frame = (nth: number) => message.subarray(body + nth * WHOLE, body + (nth + 1) * WHOLE);
    const found = {
      head: message.subarray(0, body),
      frames: [frame(0), frame(1), frame(2)] as const,
      last: message.subarray(-LAST),
    };
    expect(found.frames.map((content) => content.readUInt32BE())).toEqual([1, 2, 3]);
    expect(found.last.readUInt32BE()).toBe(0xffff_ffff);
    expect((await open(message)).sample).toEqual(sample);
    return found;
  }

  it('does not open with a frame gone, repeated or in another place', async () => {
    const {
      head,
      frames: [one, two, three],
      last,
    } = await parts();
    const altered = [
      [two, three, last],
      [one, three, last],
      [one, two, last],
      [one, two, three],
      [last],
      [],
      [one, one, two, three, last],
      [one, two, two, three, last],
      [two, one, three, last],
      [one, three, two, last],
      [one, two, three, last, last],
      [last, one, two, three],
    ];
    expect([
      ...(await refusals(altered.map((frames) => Buffer.concat([head, ...frames])))),
    ]).toEqual([['DOES_NOT_OPEN', altered.length]]);
  });

  it('does not open with a frame of another message', async () => {
    const here = await parts();
    const there = await parts();
    const altered = [
      [here.head, there.frames[0], here.frames[1], here.frames[2], here.last],
      [here.head, ...here.frames, there.last],
      [here.head, ...there.frames, there.last],
    ];
    expect([...(await refusals(altered.map((message) => Buffer.concat(message))))]).toEqual([
      ['DOES_NOT_OPEN', altered.length],
    ]);
  });
});

it('a message whose header says another region does not open there', async () => {
  const { message } = await sealTo(newerKey, CANARY);
  const altered = Buffer.from(message.toString('latin1').replaceAll('zurich', 'moscow'), 'latin1');
  expect(readSealedHeader(altered).region).toBe('moscow');
  await expect(
    refusal(() =>
      openSealed(
        altered,
        'moscow',
        held([
          { id: newerKey.id.replace('zurich', 'moscow'), privateKeyPem: newerKey.privateKeyPem },
        ]),
      ),
    ),
  ).resolves.toBe('DOES_NOT_OPEN');
});
