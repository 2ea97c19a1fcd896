import { constants, createPrivateKey, privateDecrypt } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { SealingError } from '@residency/sealing';
import type { KeyUnwrapper, RegionKey } from '@residency/sealing';

/**
 * What becomes of the next calls. `slow`: no answer within the service's own limit. `other-key`: 32
 * bytes that are another message's data key. `too-short`: no data key at all.
 */
export type KeyServiceFault = 'unreachable' | 'refused' | 'slow' | 'other-key' | 'too-short';

const LIMIT_MS = 50;

/** A key service at the other end of a network, such as an HSM or a KMS, in memory. */
export class MemoryKeyService implements KeyUnwrapper {
  fault: KeyServiceFault | undefined;
  /** Every data key that was given out, as the memory that was given. */
  readonly given: Uint8Array[] = [];
  readonly #keys: ReadonlyMap<string, string>;

  constructor(keys: readonly RegionKey[]) {
    this.#keys = new Map(keys.map(({ id, privateKeyPem }) => [id, privateKeyPem]));
  }

  async unwrap(keyId: string, wrapped: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    if (this.fault === 'slow') {
      await after(LIMIT_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
        signal?.throwIfAborted();
      });
    }
    if (this.fault === 'unreachable' || this.fault === 'slow')
      throw failure('UNWRAP_UNREACHABLE', 'an answer of the key service', 'none');
    if (this.fault === 'refused')
      throw failure('UNWRAP_REFUSED', 'a key service that unwraps for us', 'a refusal');
    const pem = this.#keys.get(keyId);
    if (pem === undefined) throw failure('NO_KEY_FOR_MESSAGE', 'the key of that id', 'none');
    const dataKey = this.#dataKey(pem, wrapped);
    this.given.push(dataKey);
    return dataKey;
  }

  #dataKey(pem: string, wrapped: Uint8Array): Uint8Array {
    if (this.fault === 'other-key') return new Uint8Array(32).fill(7);
    if (this.fault === 'too-short') return new Uint8Array(16).fill(7);
    try {
      return privateDecrypt(
        {
          key: createPrivateKey(pem),
          padding: constants.RSA_PKCS1_OAEP_PADDING,
          oaepHash: 'sha256',
        },
        wrapped,
      );
    } catch {
      throw failure('DOES_NOT_OPEN', 'bytes that this key wrapped', 'others');
    }
  }
}

function failure(
  code: 'UNWRAP_UNREACHABLE' | 'UNWRAP_REFUSED' | 'NO_KEY_FOR_MESSAGE' | 'DOES_NOT_OPEN',
  expected: string,
  found: string,
): SealingError {
  return new SealingError({
    code,
    message: `Expected ${expected}, found ${found}.`,
    remedy: code === 'UNWRAP_UNREACHABLE' ? 'retry' : 'stop',
  });
}
