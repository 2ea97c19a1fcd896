import { constants, publicEncrypt, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { codeOf } from '@residency/coded-error';
import { sha256 } from '@residency/contracts';
import { RegionSealer, openSealed } from '@residency/sealing';
import type { KeyUnwrapper, RegionKey } from '@residency/sealing';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';

/** Two keys of the region `zurich`, both behind the port. */
export interface KeyUnwrapperHarness {
  readonly unwrapper: KeyUnwrapper;
  readonly keys: readonly [RegionKey, RegionKey];
  /** From now on the port cannot ask who holds the keys. */
  readonly cutOff: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const SAMPLE = Buffer.from('CANARY: a harmless sample');

function wrap({ publicKeyPem }: RegionKey, dataKey: Uint8Array): Buffer {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key: publicKeyPem, padding, oaepHash: 'sha256' }, dataKey);
}

async function sealed(key: RegionKey): Promise<Buffer> {
  const digest = sha256(SAMPLE);
  const context = { region: 'zurich', policyDigest: digest, sampleSha256: digest };
  const sealer = new RegionSealer({ newest: () => key });
  return (await sealer.seal(SAMPLE, { ...context, submission: digest })).message;
}

/** The code and remedy of a failure that names neither bytes of a key nor of the sample. */
async function refusalOf(
  attempt: Promise<unknown>,
  secrets: readonly Uint8Array[] = [],
): Promise<readonly [code: string | undefined, remedy: unknown]> {
  const error: unknown = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const said = inspect(error, { depth: Infinity, showHidden: true, maxArrayLength: Infinity });
  for (const secret of [SAMPLE, ...secrets])
    for (const text of ['hex', 'base64', 'latin1'] as const)
      expect(said).not.toContain(Buffer.from(secret).toString(text));
  return [codeOf(error), error instanceof Error && 'remedy' in error ? error.remedy : undefined];
}

const BEHAVIOURS: readonly Behaviour<KeyUnwrapperHarness>[] = [
  {
    name: 'unwraps what each key wrapped, many at once',
    async check({ unwrapper, keys }) {
      const wrapped = Array.from({ length: 40 }, (_, nth) => {
        const key = keys[nth % 2 === 0 ? 0 : 1];
        const dataKey = randomBytes(32);
        return { id: key.id, dataKey, bytes: wrap(key, dataKey) };
      });
      const unwrapped = await Promise.all(
        wrapped.map(({ id, bytes }) => unwrapper.unwrap(id, bytes)),
      );
      expect(unwrapped.map((dataKey) => Buffer.from(dataKey))).toEqual(
        wrapped.map(({ dataKey }) => dataKey),
      );
    },
  },
  {
    name: 'gives memory that the caller may overwrite, and leaves the wrapped bytes as they are',
    async check({ unwrapper, keys: [key] }) {
      const dataKey = randomBytes(32);
      const wrapped = wrap(key, dataKey);
      const before = Buffer.from(wrapped);
      (await unwrapper.unwrap(key.id, wrapped)).fill(0);
      expect(wrapped.equals(before)).toBe(true);
      expect(Buffer.from(await unwrapper.unwrap(key.id, wrapped)).equals(dataKey)).toBe(true);
    },
  },
  {
    name: 'opens samples of both keys',
    async check({ unwrapper, keys }) {
      for (const key of keys)
        expect((await openSealed(await sealed(key), 'zurich', unwrapper)).sample).toEqual(SAMPLE);
    },
  },
  {
    name: 'has no key of another id, whatever the id is',
    async check({ unwrapper, keys: [key] }) {
      const dataKey = randomBytes(32);
      const ids = ['zurich-none', '', '.', '..', `../zurich/${key.id}`, `${key.id}\0`, '/', 'é'];
      for (const id of [...ids, 'a'.repeat(60_000)]) {
        const attempt = unwrapper.unwrap(id, wrap(key, dataKey));
        expect([id, ...(await refusalOf(attempt, [dataKey]))]).toEqual([
          id,
          'NO_KEY_FOR_MESSAGE',
          'stop',
        ]);
      }
    },
  },
  {
    name: 'does not unwrap what its key did not wrap',
    async check({ unwrapper, keys: [key, other] }) {
      const dataKey = randomBytes(32);
      const wrapped = wrap(key, dataKey);
      const altered = Buffer.from(wrapped);
      altered[7] = (altered[7] ?? 0) ^ 1;
      for (const bytes of [wrap(other, dataKey), altered, wrapped.subarray(1), Buffer.alloc(0)])
        expect(await refusalOf(unwrapper.unwrap(key.id, bytes), [dataKey])).toEqual([
          'DOES_NOT_OPEN',
          'stop',
        ]);
    },
  },
  {
    name: 'gives nothing once the signal is aborted, and says why it was',
    async check({ unwrapper, keys: [key] }) {
      const reason = new Error('somebody interrupted');
      const wrapped = wrap(key, randomBytes(32));
      const signal = AbortSignal.abort(reason);
      await expect(unwrapper.unwrap(key.id, wrapped, signal)).rejects.toBe(reason);
      await expect(openSealed(await sealed(key), 'zurich', unwrapper, signal)).rejects.toBe(reason);
    },
  },
  {
    name: 'can be asked again later if it cannot be asked now',
    async check({ unwrapper, keys: [key], cutOff }) {
      const message = await sealed(key);
      await cutOff();
      const dataKey = randomBytes(32);
      const [code, remedy] = await refusalOf(unwrapper.unwrap(key.id, wrap(key, dataKey)), [
        dataKey,
      ]);
      expect([code, remedy]).toEqual([expect.any(String), 'retry']);
      // The same answer, and not that the message is altered.
      expect(await refusalOf(openSealed(message, 'zurich', unwrapper))).toEqual([code, 'retry']);
    },
  },
];

/** The behaviour of a `KeyUnwrapper` of the region `zurich`. */
export function describeKeyUnwrapper(
  adapter: string,
  open: () => Promise<KeyUnwrapperHarness>,
): void {
  describeBehaviours(adapter, 'key unwrapper', BEHAVIOURS, open);
}
