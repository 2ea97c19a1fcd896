import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { PemUnwrapper, RegionSealer, SEALING_ERROR_CODES, SealingError } from '../src/index.ts';
import type { RegionKey, SealingContext, SealingErrorCode } from '../src/index.ts';
import { rawRsa, sealWithSdk } from './sdk.ts';
import type { SdkMessage } from './sdk.ts';

const folder = join(import.meta.dirname, '../../../test/vectors/sealing');

export interface Vector {
  readonly name: string;
  readonly message: Buffer;
  readonly writtenBy: string;
  readonly sealedSha256: string;
  readonly wrappingKey: string;
  readonly context: SealingContext;
  readonly sample: string;
}

function read(kind: 'v1' | 'refused'): readonly Vector[] {
  return readdirSync(join(folder, kind))
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({
      ...(JSON.parse(readFileSync(join(folder, kind, name), 'utf8')) as Omit<
        Vector,
        'name' | 'message'
      >),
      name: name.slice(0, -'.json'.length),
      message: readFileSync(join(folder, kind, name.replace('.json', '.message'))),
    }));
}

/** What version 1 wrote, and must open for ever (STYLE 19). */
export const vectors = read('v1');

/** Good messages of the SDK that no router writes. */
export const refused = read('refused');

export function vector(name: string): Vector {
  const found = vectors.find((vector) => vector.name === name);
  if (found === undefined) throw new RangeError(`Expected a vector ${name}, found none.`);
  return found;
}

/** A region's TEST keys, oldest first. Making keys takes a second each, so tests share these. */
export function testKeys(region: string): readonly RegionKey[] {
  const keys = join(folder, 'v1/TEST-KEYS', region);
  const ids = readdirSync(keys)
    .filter((name) => name.endsWith('.public.pem'))
    .map((name) => name.slice(0, -'.public.pem'.length))
    .toSorted();
  return ids.map((id) => ({
    id,
    publicKeyPem: readFileSync(join(keys, `${id}.public.pem`), 'utf8'),
    privateKeyPem: readFileSync(join(keys, `${id}.private.pem`), 'utf8'),
  }));
}

function only(region: string, nth: number): RegionKey {
  const key = testKeys(region).at(nth);
  if (key === undefined) throw new RangeError(`Expected a test key of ${region}, found none.`);
  return key;
}

export const olderKey = only('zurich', 0);
export const newerKey = only('zurich', 1);
export const moscowKey = only('moscow', 0);
export const zurichKeys = [olderKey, newerKey];

/** These private keys, as the files of one region. */
export function held(keys: readonly Pick<RegionKey, 'id' | 'privateKeyPem'>[]): PemUnwrapper {
  const files = {
    privateKey: async (_region: string, id: string) =>
      keys.find((key) => key.id === id)?.privateKeyPem,
  };
  return new PemUnwrapper(files, 'zurich');
}

export const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

export function contextOf(sample: Buffer | string, region = 'zurich'): SealingContext {
  return {
    region,
    policyDigest: sha256('a policy'),
    sampleSha256: sha256(sample),
    submission: sha256('a submission'),
  };
}

export function sealTo(
  key: Pick<RegionKey, 'id' | 'publicKeyPem'>,
  sample: Buffer,
  context = contextOf(sample),
) {
  return new RegionSealer({ newest: () => key }).seal(sample, context);
}

/** The sample most tests seal: found in an error, it leaked. */
export const CANARY = Buffer.from('CANARY-sample: a harmless text that no error may repeat.');

/** A message somebody else made with the SDK itself, which seals what the sealer would not. */
export function foreignMessage({
  values = boundValues(),
  sample = CANARY,
  to = rawRsa('residency/zurich', newerKey),
  ...how
}: Partial<SdkMessage> = {}): Promise<Buffer> {
  return sealWithSdk({ values, sample, to, ...how });
}

/** The context of a message as its names and values stand in it. */
export function boundValues(region = 'zurich', sample: Buffer = CANARY): Record<string, string> {
  return {
    region,
    'policy-digest': sha256('a policy'),
    'sample-sha256': sha256(sample),
    submission: sha256('a submission'),
  };
}

const KEYS_TO_MEND: ReadonlySet<string> = new Set(['NO_SEALING_KEY', 'NOT_A_PUBLIC_KEY']);

/**
 * Whatever fails here fails with a code, the remedy that belongs to it, and without a canary: every
 * refusal in these tests goes through this.
 */
export async function refusal(attempt: () => unknown): Promise<SealingErrorCode> {
  let error: unknown;
  try {
    await attempt();
  } catch (thrown) {
    error = thrown;
  }
  if (!(error instanceof SealingError))
    throw new Error(
      error === undefined
        ? 'Expected a refusal, found none.'
        : 'Expected a SealingError, found another error.',
      { cause: error },
    );
  expect(SEALING_ERROR_CODES).toContain(error.code);
  // A folder of keys may be put right while the process waits.
  expect(error.remedy).toBe(KEYS_TO_MEND.has(error.code) ? 'retry' : 'stop');
  expect(leaks(error)).toEqual([]);
  return error.code;
}

/** Lines of private keys, beyond the first, which names the algorithm only and is alike in all. */
const secrets = [...zurichKeys, moscowKey]
  .flatMap(({ privateKeyPem }) => privateKeyPem.split('\n').slice(2, -2))
  .concat('CANARY', CANARY.toString('hex').slice(0, 24), CANARY.toString('base64').slice(0, 24));

/** The secrets found in an error: its message, stack, properties and causes. */
export function leaks(error: unknown): string[] {
  const said = inspect(error, {
    depth: Infinity,
    showHidden: true,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
    breakLength: Infinity,
  });
  const chain: string[] = [said];
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    chain.push(at.message, at.stack ?? '');
  return secrets.filter((secret) => chain.some((text) => text.includes(secret)));
}
