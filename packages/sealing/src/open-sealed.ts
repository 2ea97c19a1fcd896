import { hash } from 'node:crypto';
import { decodeContext } from './encryption-context.ts';
import { messageLength } from './message-length.ts';
import type { KeyUnwrapper } from './ports/key-unwrapper.ts';
import { readSealedHeader } from './sealed-header.ts';
import type { SealingContext } from './sealing-context.ts';
import { SealingError, doesNotOpen } from './sealing-error.ts';

export interface OpenedSample {
  readonly sample: Buffer;
  readonly context: SealingContext;
}

/**
 * Opens a sealed sample inside `region` with whichever of its keys, old ones too, wrapped it. The
 * region bound to the message must be the one asked for, and the sample must have the digest bound
 * to it. Throws `SealingError`, a coded error of `unwrapper`, or the reason of `signal`.
 */
export async function openSealed(
  message: Buffer,
  region: string,
  unwrapper: KeyUnwrapper,
  signal?: AbortSignal,
): Promise<OpenedSample> {
  const header = readSealedHeader(message);
  if (header.region !== region) {
    throw new SealingError({
      code: 'WRONG_REGION',
      message: `Expected a sample sealed for region ${region}, found one sealed for ${header.region}; ask that region.`,
      remedy: 'stop',
    });
  }
  const { sample, values } = await decryptWith(unwrapper, region, message, signal);
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

async function decryptWith(
  unwrapper: KeyUnwrapper,
  region: string,
  message: Buffer,
  signal: AbortSignal | undefined,
): Promise<{ readonly sample: Buffer; readonly values: Readonly<Record<string, string>> }> {
  // Loaded by whoever opens: a router only seals, and the SDK brings clients of AWS services along.
  const { UnwrappingKeyring, decrypt } = await import('./encryption-sdk.ts');
  const keyring = new UnwrappingKeyring(region, unwrapper, signal);
  try {
    const { plaintext, messageHeader } = await decrypt(keyring, message);
    return { sample: plaintext, values: { ...messageHeader.encryptionContext } };
  } catch {
    signal?.throwIfAborted();
    throw keyring.refusal ?? doesNotOpen();
  }
}
