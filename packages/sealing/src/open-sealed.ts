import { hash } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import { decodeContext } from './encryption-context.ts';
import { messageLength } from './message-length.ts';
import { readSealedHeader } from './sealed-header.ts';
import type { SealingContext } from './sealing-context.ts';
import { SealingError } from './sealing-error.ts';

/** PKCS#8 PEM. */
export interface OpeningKey {
  readonly id: string;
  readonly privateKeyPem: string;
}

export interface OpenedSample {
  readonly sample: Buffer;
  readonly context: SealingContext;
}

/**
 * Opens a sealed sample inside `region` with whichever of its keys, old ones too, wrapped it. The
 * region bound to the message must be the one asked for, and the sample must have the digest bound
 * to it. Throws `SealingError`.
 */
export async function openSealed(
  message: Buffer,
  region: string,
  keys: readonly OpeningKey[],
): Promise<OpenedSample> {
  const header = readSealedHeader(message);
  if (header.region !== region) {
    throw new SealingError({
      code: 'WRONG_REGION',
      message: `Expected a sample sealed for region ${region}, found one sealed for ${header.region}; ask that region.`,
      remedy: 'stop',
    });
  }
  const key = keys.find(({ id }) => header.wrappingKeys.includes(id));
  if (key === undefined) {
    throw new SealingError({
      code: 'NO_KEY_FOR_MESSAGE',
      message: `Expected the private key that wrapped this sample, found none of region ${region}; bring back the key named in the object's metadata.`,
      remedy: 'stop',
    });
  }
  const { sample, values } = await decryptWith(key, region, message);
  // The bytes read so far are authenticated only now.
  const context = decodeContext(values);
  if (context.region !== region || messageLength(message) !== message.length) throw doesNotOpen();
  if (hash('sha256', sample) !== context.sampleSha256) {
    throw new SealingError({
      code: 'SAMPLE_DIGEST_MISMATCH',
      message:
        'Expected the sample to have the digest bound to it, found another. A router did not seal it: keep the object and find out who did.',
      remedy: 'stop',
    });
  }
  return { sample, context };
}

/** Parsed once each, as long as the caller keeps them. */
const PARSED = new WeakMap<OpeningKey, webcrypto.CryptoKey>();

async function decryptWith(
  key: OpeningKey,
  region: string,
  message: Buffer,
): Promise<{ readonly sample: Buffer; readonly values: Readonly<Record<string, string>> }> {
  // Loaded by whoever opens: a router only seals, and the SDK brings clients of AWS services along.
  const { UnwrappingKeyring, decrypt, unwrappingKey } = await import('./encryption-sdk.ts');
  try {
    const unwrapping = PARSED.get(key) ?? unwrappingKey(key.privateKeyPem);
    PARSED.set(key, unwrapping);
    const { plaintext, messageHeader } = await decrypt(
      new UnwrappingKeyring(region, key.id, unwrapping),
      message,
    );
    return { sample: plaintext, values: { ...messageHeader.encryptionContext } };
  } catch {
    throw doesNotOpen();
  }
}

function doesNotOpen(): SealingError {
  return new SealingError({
    code: 'DOES_NOT_OPEN',
    message:
      "Expected an unaltered message wrapped with this region's key; it does not open. The bytes were altered, truncated or added to, or the key is another under the same id.",
    remedy: 'stop',
  });
}
