import { constants, createPrivateKey, createPublicKey, privateDecrypt } from 'node:crypto';
import { expect } from 'vitest';
import type { sealMessage } from '../src/seal-message.ts';
import type { WrappingKey } from '../src/wrapping-key.ts';
import { boundValues, newerKey, sha256 } from './fixtures.ts';
import { parseMessage, recompute, shapeOf } from './parse-message.ts';
import { openWithSdk, rawRsa, sealWithSdk } from './sdk.ts';

/** What is checked: the sealer itself, or a copy with a defect in it. */
export interface Sealing {
  readonly sealMessage: typeof sealMessage;
  readonly WrappingKey: typeof WrappingKey;
}

export interface Check {
  readonly name: string;
  readonly run: (sealing: Sealing) => Promise<void>;
}

const FRAME = 16;
/** Around the borders of frames. */
const SIZES = [0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 2 * FRAME + 1, 5 * FRAME + 7];
const REGION = 'zurich';
const NAMESPACE = `residency/${REGION}`;

/** Names whose order by UTF-8 is neither that of UTF-16 nor a dictionary's, nor by length. */
const STRANGE_VALUES: Readonly<Record<string, string>> = {
  Ångström: 'ﬀ',
  'a\u{1F600}': '無害',
  'a\uFFFD': 'безобидный',
  aa: '',
  b: 'aa',
  Z: '\0',
};

const publicKey = createPublicKey(newerKey.publicKeyPem);
const privateKey = createPrivateKey(newerKey.privateKeyPem);

const sampleOf = (bytes: number): Buffer => Buffer.alloc(bytes, 'a pattern of 23 bytes. ');

function seal(
  { sealMessage, WrappingKey }: Sealing,
  sample: Buffer,
  values: Readonly<Record<string, string>> = boundValues(REGION, sample),
  frameBytes = FRAME,
): ReturnType<Sealing['sealMessage']> {
  const to = new WrappingKey(REGION, newerKey.id, publicKey);
  return sealMessage(sample, { values, to, frameBytes });
}

function unwrap(wrapped: Buffer): Buffer {
  return privateDecrypt(
    { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    wrapped,
  );
}

/** What chance decided of a message. */
function chanceOf(message: Buffer): { messageId: Buffer; dataKey: Buffer; wrapped: Buffer } {
  const { messageId, dataKeys } = parseMessage(message);
  const wrapped = Buffer.from(dataKeys[0]?.wrapped ?? '', 'hex');
  return { messageId: Buffer.from(messageId, 'hex'), dataKey: unwrap(wrapped), wrapped };
}

/**
 * Each a witness of its own of what `sealMessage` writes. Run on the sealer they pass; on each
 * mutant the ones named beside it fail.
 */
export const CHECKS: readonly Check[] = [
  {
    name: 'opens',
    async run(sealing) {
      for (const size of SIZES) {
        const sample = sampleOf(size);
        const opened = await openWithSdk(newerKey, seal(sealing, sample).message);
        expect(opened).toEqual({ sample, values: boundValues(REGION, sample) });
      }
    },
  },
  {
    name: 'opens with any text',
    async run(sealing) {
      const sample = sampleOf(1);
      const opened = await openWithSdk(newerKey, seal(sealing, sample, STRANGE_VALUES).message);
      expect(opened).toEqual({ sample, values: STRANGE_VALUES });
    },
  },
  {
    name: 'has the shape of the SDK',
    async run(sealing) {
      for (const values of [boundValues(), STRANGE_VALUES, {}])
        for (const size of SIZES) {
          const sample = sampleOf(size);
          const theirs = await sealWithSdk({
            values,
            sample,
            to: rawRsa(NAMESPACE, newerKey),
            frameLength: FRAME,
          });
          const { message } = seal(sealing, sample, values);
          expect(shapeOf(message)).toEqual(shapeOf(theirs));
          expect(message.length).toBe(theirs.length);
        }
    },
  },
  {
    name: 'is recomputed',
    async run(sealing) {
      for (const values of [boundValues(), STRANGE_VALUES])
        for (const size of SIZES) {
          const sample = sampleOf(size);
          const { message } = seal(sealing, sample, values);
          const names = { provider: NAMESPACE, name: newerKey.id, values, frameBytes: FRAME };
          expect(recompute(sample, { ...chanceOf(message), ...names }).equals(message)).toBe(true);
        }
    },
  },
  {
    name: 'has its digest',
    async run(sealing) {
      for (const size of SIZES) {
        const { message, sha256: digest } = seal(sealing, sampleOf(size));
        expect(digest).toBe(sha256(message));
      }
    },
  },
  {
    name: 'has a data key and an id of its own',
    async run(sealing) {
      const messages = Array.from({ length: 20 }, () =>
        chanceOf(seal(sealing, sampleOf(1)).message),
      );
      const fields = messages.flatMap(({ messageId, dataKey, wrapped }) => [
        messageId.toString('hex'),
        dataKey.toString('hex'),
        wrapped.toString('hex'),
      ]);
      expect(new Set(fields).size).toBe(fields.length);
      expect(messages.map(({ dataKey }) => dataKey.length)).toEqual(messages.map(() => 32));
      // One in 2^128 for each.
      for (const { messageId, dataKey } of messages)
        for (const half of [
          messageId.subarray(0, 16),
          messageId.subarray(16),
          dataKey.subarray(0, 16),
          dataKey.subarray(16),
        ])
          expect(half.every((byte) => byte === half[0])).toBe(false);
    },
  },
  {
    name: 'forgets its data key',
    async run({ sealMessage, WrappingKey }) {
      const given: Uint8Array[] = [];
      class Remembering extends WrappingKey {
        override wrap(dataKey: Uint8Array): Buffer {
          given.push(dataKey);
          return super.wrap(dataKey);
        }
      }
      const to = new Remembering(REGION, newerKey.id, publicKey);
      sealMessage(sampleOf(1), { values: boundValues(), to });
      class Failing extends WrappingKey {
        override wrap(dataKey: Uint8Array): Buffer {
          given.push(dataKey);
          throw new RangeError('refused');
        }
      }
      const failing = new Failing(REGION, newerKey.id, publicKey);
      expect(() => sealMessage(sampleOf(1), { values: boundValues(), to: failing })).toThrow(
        'refused',
      );
      expect(given.map((dataKey) => Buffer.from(dataKey).toString('hex'))).toEqual([
        '0'.repeat(64),
        '0'.repeat(64),
      ]);
    },
  },
  {
    name: 'cuts frames of 1 MiB',
    async run({ sealMessage, WrappingKey }) {
      const to = new WrappingKey(REGION, newerKey.id, publicKey);
      const sample = sampleOf(2 * 1024 * 1024 + 1);
      const { message } = sealMessage(sample, { values: boundValues(REGION, sample), to });
      const { frameBytes, frames } = parseMessage(message);
      expect([frameBytes, frames.map(({ content }) => content.length / 2)]).toEqual([
        1_048_576,
        [1_048_576, 1_048_576, 1],
      ]);
    },
  },
  {
    name: 'refuses what does not fit its field',
    async run(sealing) {
      const long = (bytes: number): string => 'é'.repeat(bytes / 2);
      const seals = (values: Readonly<Record<string, string>>) => () =>
        seal(sealing, sampleOf(1), values);
      // Count, two lengths and a name of one byte stand beside the value: 7 bytes.
      expect(seals({ a: long(65_528) })).not.toThrow();
      expect(seals({ a: `${long(65_528)}a` })).toThrow(RangeError);
      expect(seals({ a: long(65_536) })).toThrow(RangeError);
      expect(seals({ [long(65_536)]: '' })).toThrow(RangeError);
      expect(seals({ a: long(40_000), b: long(40_000) })).toThrow(RangeError);
      const named = (id: string) => () => new sealing.WrappingKey(REGION, id, publicKey);
      expect(named(long(65_534))).not.toThrow();
      expect(named(long(65_536))).toThrow(RangeError);
    },
  },
];
