import { createHash, createPublicKey } from 'node:crypto';
import { AlgorithmSuiteIdentifier } from '@aws-crypto/client-node';
import type { RawRsaKeyringNode } from '@aws-crypto/client-node';
import { encodeContext } from './encryption-context.ts';
import { encrypt, keyring } from './encryption-sdk.ts';
import { idFits } from './region-key.ts';
import type { SealedSample, SealingContext } from './sealing-context.ts';
import { SealingError } from './sealing-error.ts';

/** Public keys by region; the newest that is not retired seals. */
export interface SealingKeys {
  newest(region: string): { readonly id: string; readonly publicKeyPem: string } | undefined;
}

// Large frames cost the least: at 16 MiB, 4 KiB frames took ten times as long as these, and one frame of all took twice the memory.
// Every implementation of the SDK holds one frame at a time before it gives out plaintext.
const FRAME_BYTES = 1024 * 1024;

/** Seals to a region's newest public key; holds nothing that opens. */
export class EncryptionSdkSealer {
  readonly #keys: SealingKeys;
  readonly #keyrings = new Map<string, RawRsaKeyringNode>();

  constructor(keys: SealingKeys) {
    this.#keys = keys;
  }

  /** Throws `NO_SEALING_KEY` and `NOT_A_PUBLIC_KEY` with remedy `stop`. */
  async seal(sample: Buffer, context: SealingContext): Promise<SealedSample> {
    const key = this.#keys.newest(context.region);
    if (key === undefined) {
      throw new SealingError({
        code: 'NO_SEALING_KEY',
        message: `Expected a public key of region ${context.region} to seal with, found none; add one.`,
        remedy: 'stop',
      });
    }
    const message = await this.#encrypt(this.#keyring(context.region, key), sample, context);
    return {
      message,
      sealedSha256: createHash('sha256').update(message).digest('hex'),
      wrappingKey: key.id,
    };
  }

  async #encrypt(to: RawRsaKeyringNode, sample: Buffer, context: SealingContext): Promise<Buffer> {
    try {
      const { result } = await encrypt(to, sample, {
        suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
        encryptionContext: encodeContext(context),
        frameLength: FRAME_BYTES,
        plaintextLength: sample.length,
      });
      return result;
    } catch {
      throw new SealingError({
        code: 'SEALING_FAILED',
        message: `Expected to seal a sample for region ${context.region}, and the Encryption SDK could not; check that the context's values are those of a decision, and try the region's newest key by hand.`,
        remedy: 'stop',
      });
    }
  }

  #keyring(
    region: string,
    { id, publicKeyPem }: { readonly id: string; readonly publicKeyPem: string },
  ): RawRsaKeyringNode {
    const name = `${region}/${id}`;
    let known = this.#keyrings.get(name);
    if (known === undefined)
      this.#keyrings.set(
        name,
        (known = keyring(region, id, { publicKey: publicOnly(publicKeyPem, id, region) })),
      );
    return known;
  }
}

// docs/formats/sealed-sample.md; the SDK itself seals with 1024 bits.
const KEY_BITS = 3072;

/** A private key would seal as well as a public one does: so it is refused, lest it be here. */
function publicOnly(pem: string, id: string, region: string): string {
  try {
    if (/^-----BEGIN PUBLIC KEY-----\r?\n[^-]+-----END PUBLIC KEY-----\s*$/.test(pem)) {
      const key = createPublicKey(pem);
      // One filed under another region's folder would seal what that region can not open.
      if (
        key.asymmetricKeyType === 'rsa' &&
        (key.asymmetricKeyDetails?.modulusLength ?? 0) >= KEY_BITS &&
        idFits(id, region, key)
      )
        return pem;
    }
  } catch {
    // Said below.
  }
  throw new SealingError({
    code: 'NOT_A_PUBLIC_KEY',
    message: `Expected key ${id} to be the RSA public key of region ${region} that its id names, at least ${KEY_BITS} bits, in SPKI PEM and nothing else; found otherwise; a router holds public keys only.`,
    remedy: 'stop',
  });
}
