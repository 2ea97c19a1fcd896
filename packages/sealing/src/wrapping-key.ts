import { constants, publicEncrypt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { keyNamespace } from './encryption-context.ts';

/**
 * A public key as the SDK's raw RSA keyrings use it (SPEC, framework/raw-rsa-keyring.md): OAEP with
 * SHA-256 for hash and mask. Made once a key, so that wrapping parses no PEM.
 */
export class WrappingKey {
  readonly #key: KeyObject;
  /**
   * How a message names the key (SPEC, data-format/message-header.md, "encrypted data key
   * entries"): provider id and provider information, each with its length.
   */
  readonly names: Buffer;

  /** A name of more than 65,535 bytes throws `RangeError`. */
  constructor(region: string, id: string, publicKey: KeyObject) {
    this.#key = publicKey;
    this.names = Buffer.concat([keyNamespace(region), id].map((name) => prefixed(name)));
  }

  /** As long as the key's modulus. */
  wrap(dataKey: Uint8Array): Buffer {
    return publicEncrypt(
      { key: this.#key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      dataKey,
    );
  }
}

function prefixed(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}
