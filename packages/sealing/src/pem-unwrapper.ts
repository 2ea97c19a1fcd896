import { createPrivateKey, subtle } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import type { KeyUnwrapper } from './ports/key-unwrapper.ts';
import { doesNotOpen, noKeyForMessage } from './sealing-error.ts';

/** Private keys in PKCS#8 PEM, retired ones too. `undefined`: the region has no such key here. */
export interface PrivateKeys {
  privateKey(region: string, id: string): Promise<string | undefined>;
}

/**
 * Unwraps in the thread pool, because an unwrap takes longer than everything else of a small message.
 * Reads and parses a key at its first use, so keys that are added later are found.
 */
export class PemUnwrapper implements KeyUnwrapper {
  readonly #keys: PrivateKeys;
  readonly #region: string;
  readonly #parsed = new Map<string, webcrypto.CryptoKey>();

  constructor(keys: PrivateKeys, region: string) {
    this.#keys = keys;
    this.#region = region;
  }

  async unwrap(keyId: string, wrapped: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const key = this.#parsed.get(keyId) ?? (await this.#read(keyId));
    try {
      return new Uint8Array(
        await subtle.decrypt({ name: 'RSA-OAEP' }, key, new Uint8Array(wrapped)),
      );
    } catch {
      throw doesNotOpen();
    }
  }

  async #read(id: string): Promise<webcrypto.CryptoKey> {
    const pem = await this.#keys.privateKey(this.#region, id);
    if (pem === undefined) throw noKeyForMessage(this.#region);
    const key = parsed(pem);
    this.#parsed.set(id, key);
    return key;
  }
}

function parsed(pem: string): webcrypto.CryptoKey {
  try {
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' };
    return createPrivateKey(pem).toCryptoKey(algorithm, false, ['decrypt']);
  } catch {
    throw doesNotOpen();
  }
}
