import { sha256 } from '@residency/contracts';
import { PemUnwrapper, RegionSealer, generateRegionKey, openSealed } from '@residency/sealing';
import type { SealingError } from '@residency/sealing';
import { describe, expect, it } from 'vitest';
import { describeKeyUnwrapper } from '../src/key-unwrapper-suite.ts';
import { MemoryKeyService } from '../src/memory-key-service.ts';
import type { KeyServiceFault } from '../src/memory-key-service.ts';

const keys = [await generateRegionKey('zurich', 0), await generateRegionKey('zurich', 1)] as const;
const [key] = keys;
const SAMPLE = Buffer.from('a harmless sample');
const DIGEST = sha256(SAMPLE);

async function sealed(changes: { readonly sampleSha256?: string } = {}): Promise<Buffer> {
  const context = { region: 'zurich', policyDigest: DIGEST, submission: DIGEST };
  const sealer = new RegionSealer({ newest: () => key });
  return (await sealer.seal(SAMPLE, { ...context, sampleSha256: DIGEST, ...changes })).message;
}

describeKeyUnwrapper('a key service in memory', async () => {
  const unwrapper = new MemoryKeyService(keys);
  return {
    unwrapper,
    keys,
    cutOff: async () => {
      unwrapper.fault = 'unreachable';
    },
    close: async () => undefined,
  };
});

describe('opening through a key service', () => {
  it.each<readonly [KeyServiceFault, string, string]>([
    ['unreachable', 'UNWRAP_UNREACHABLE', 'retry'],
    ['slow', 'UNWRAP_UNREACHABLE', 'retry'],
    ['refused', 'UNWRAP_REFUSED', 'stop'],
    ['other-key', 'DOES_NOT_OPEN', 'stop'],
    ['too-short', 'DOES_NOT_OPEN', 'stop'],
  ])('that is %s fails with %s (%s), and a later attempt opens', async (fault, code, remedy) => {
    const service = new MemoryKeyService(keys);
    const message = await sealed();
    service.fault = fault;
    await expect(openSealed(message, 'zurich', service)).rejects.toMatchObject({ code, remedy });
    service.fault = undefined;
    expect((await openSealed(message, 'zurich', service)).sample).toEqual(SAMPLE);
  });

  it('ends while the service is slow if the signal is aborted', async () => {
    const service = new MemoryKeyService(keys);
    service.fault = 'slow';
    const abort = new AbortController();
    const reason = new Error('somebody interrupted');
    const opening = openSealed(await sealed(), 'zurich', service, abort.signal);
    abort.abort(reason);
    await expect(opening).rejects.toBe(reason);
  });

  it('asks nothing about a message of another region', async () => {
    const service = new MemoryKeyService(keys);
    await expect(openSealed(await sealed(), 'moscow', service)).rejects.toMatchObject({
      code: 'WRONG_REGION',
    });
    expect(service.given).toEqual([]);
  });

  // Not every error that escapes is one that may be repeated.
  it('says no more than that it does not open if the service fails without a code', async () => {
    const failing = { unwrap: () => Promise.reject(new Error(key.privateKeyPem)) };
    await expect(openSealed(await sealed(), 'zurich', failing)).rejects.toSatisfy(
      (error: SealingError) =>
        error.code === 'DOES_NOT_OPEN' &&
        error.cause === undefined &&
        !error.message.includes('PRIVATE KEY'),
    );
  });
});

describe('the data key that a service gave', () => {
  const damaged = async (at: number): Promise<Buffer> => {
    const message = await sealed();
    message[message.length + at] = (message.at(at) ?? 0) ^ 1;
    return message;
  };
  it.each<readonly [string, () => Promise<Buffer>, string | undefined]>([
    ['the sample is out', sealed, undefined],
    ['the body was altered', () => damaged(-1), 'DOES_NOT_OPEN'],
    // Behind the commitment is the header's tag, then frame number, IV, length, sample and tag.
    ['the header was altered', () => damaged(-(SAMPLE.length + 45)), 'DOES_NOT_OPEN'],
    ['the message was cut short', async () => (await sealed()).subarray(0, -3), 'DOES_NOT_OPEN'],
    [
      'the sample has another digest',
      () => sealed({ sampleSha256: sha256(Buffer.from('another')) }),
      'SAMPLE_DIGEST_MISMATCH',
    ],
  ])('is zero once %s', async (_when, messageOf, code) => {
    const service = new MemoryKeyService(keys);
    const outcome = await openSealed(await messageOf(), 'zurich', service).catch(
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject(code === undefined ? { sample: SAMPLE } : { code });
    expect(service.given.map((dataKey) => Buffer.from(dataKey).toString('hex'))).toEqual([
      '0'.repeat(64),
    ]);
  });

  it.each<KeyServiceFault>(['other-key', 'too-short'])('is zero if it is %s', async (fault) => {
    const service = new MemoryKeyService(keys);
    service.fault = fault;
    await expect(openSealed(await sealed(), 'zurich', service)).rejects.toMatchObject({
      code: 'DOES_NOT_OPEN',
    });
    expect(service.given.map((dataKey) => Math.max(...dataKey))).toEqual([0]);
  });

  it('may be a part of a larger buffer, of which nothing else changes', async () => {
    const files = new PemUnwrapper({ privateKey: async () => key.privateKeyPem }, 'zurich');
    const large = Buffer.alloc(100, 1);
    const inside = {
      unwrap: async (id: string, wrapped: Uint8Array) => {
        large.set(await files.unwrap(id, wrapped), 10);
        return large.subarray(10, 42);
      },
    };
    expect((await openSealed(await sealed(), 'zurich', inside)).sample).toEqual(SAMPLE);
    const rest = Buffer.alloc(100, 1).fill(0, 10, 42);
    expect(large.equals(rest)).toBe(true);
  });
});
