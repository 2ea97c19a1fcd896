import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { encodeContext } from './encryption-context.ts';
import { idFits } from './region-key.ts';
import { sealMessage } from './seal-message.ts';
import type { SealedMessage } from './seal-message.ts';
import type { SealedSample, SealingContext } from './sealing-context.ts';
import { SealingError } from './sealing-error.ts';
import { WrappingKey } from './wrapping-key.ts';

/** Public keys by region; the newest that is not retired seals. */
export interface SealingKeys {
  newest(region: string): PublicKey | undefined;
}

interface PublicKey {
  readonly id: string;
  readonly publicKeyPem: string;
}

/** Seals to a region's newest public key; holds nothing that opens. */
export class RegionSealer {
  readonly #keys: SealingKeys;
  readonly #wrapping = new Map<string, { readonly pem: string; readonly key: WrappingKey }>();

  constructor(keys: SealingKeys) {
    this.#keys = keys;
  }

  /**
   * Throws `NO_SEALING_KEY` and `NOT_A_PUBLIC_KEY` with remedy `retry`: the keys' folder may be
   * mended, and is read again. Takes the main thread about 20 ms for 16 MiB, without a pause.
   */
  async seal(sample: Buffer, context: SealingContext): Promise<SealedSample> {
    const key = this.#keys.newest(context.region);
    if (key === undefined) {
      throw new SealingError({
        code: 'NO_SEALING_KEY',
        message: `Expected a public key of region ${context.region} to seal with, found none; add one, or put back its file. What waits is tried again.`,
        remedy: 'retry',
      });
    }
    const { message, sha256 } = sealed(sample, context, this.#wrappingKey(context.region, key));
    return { message, sealedSha256: sha256, wrappingKey: key.id };
  }

  #wrappingKey(region: string, { id, publicKeyPem }: PublicKey): WrappingKey {
    const name = `${region}/${id}`;
    const known = this.#wrapping.get(name);
    if (known?.pem === publicKeyPem) return known.key;
    const key = new WrappingKey(region, id, publicOnly(publicKeyPem, id, region));
    this.#wrapping.set(name, { pem: publicKeyPem, key });
    return key;
  }
}

function sealed(sample: Buffer, context: SealingContext, to: WrappingKey): SealedMessage {
  try {
    return sealMessage(sample, { values: encodeContext(context), to });
  } catch {
    throw new SealingError({
      code: 'SEALING_FAILED',
      message: `Expected to seal a sample for region ${context.region}, found that its message cannot be made; check that the context's values are those of a decision, and try the region's newest key by hand.`,
      remedy: 'stop',
    });
  }
}

// docs/formats/sealed-sample.md; node:crypto itself wraps with 1024 bits.
const KEY_BITS = 3072;

/** A private key would seal as well as a public one does: so it is refused, lest it be here. */
function publicOnly(pem: string, id: string, region: string): KeyObject {
  try {
    if (/^-----BEGIN PUBLIC KEY-----\r?\n[^-]+-----END PUBLIC KEY-----\s*$/.test(pem)) {
      const key = createPublicKey(pem);
      // A key in another region's folder would seal samples that its region cannot open.
      if (
        key.asymmetricKeyType === 'rsa' &&
        (key.asymmetricKeyDetails?.modulusLength ?? 0) >= KEY_BITS &&
        idFits(id, region, key)
      )
        return key;
    }
  } catch {
    // Said below.
  }
  throw new SealingError({
    code: 'NOT_A_PUBLIC_KEY',
    message: `Expected key ${id} to be the RSA public key of region ${region} that its id names, at least ${KEY_BITS} bits, in SPKI PEM and nothing else; found otherwise; a router holds public keys only. Put the right file in its place, or retire the key; what waits is tried again.`,
    remedy: 'retry',
  });
}
