import { createPrivateKey, subtle } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import {
  CommitmentPolicy,
  KeyringNode,
  KeyringTraceFlag,
  buildDecrypt,
} from '@aws-crypto/client-node';
import type { EncryptedDataKey, NodeDecryptionMaterial } from '@aws-crypto/client-node';
import { keyNamespace } from './encryption-context.ts';

/** Refuses what was sealed without key commitment. One wrapped data key a message. */
export const { decrypt } = buildDecrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

/**
 * What the SDK's raw RSA keyring does with a private key, but in the thread pool, and with the key
 * parsed once: an unwrap takes longer than everything else of a small message, and the SDK's own
 * keyring does it on the main thread.
 */
export class UnwrappingKeyring extends KeyringNode {
  readonly #keyNamespace: string;
  readonly #keyName: string;
  readonly #key: webcrypto.CryptoKey;

  constructor(region: string, keyName: string, key: webcrypto.CryptoKey) {
    super();
    this.#keyNamespace = keyNamespace(region);
    this.#keyName = keyName;
    this.#key = key;
  }

  override async _onEncrypt(): Promise<never> {
    throw new TypeError('Expected to unwrap only.');
  }

  /** Leaves the material without a data key if none unwraps: the SDK refuses that. */
  override async _onDecrypt(
    material: NodeDecryptionMaterial,
    wrappedKeys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    const [keyNamespace, keyName] = [this.#keyNamespace, this.#keyName];
    const ours = wrappedKeys.find(
      ({ providerId, providerInfo }) => providerId === keyNamespace && providerInfo === keyName,
    );
    if (ours === undefined) return material;
    const dataKey = await subtle.decrypt(
      { name: 'RSA-OAEP' },
      this.#key,
      new Uint8Array(ours.encryptedDataKey),
    );
    return material.setUnencryptedDataKey(new Uint8Array(dataKey), {
      keyNamespace,
      keyName,
      flags: KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY,
    });
  }
}

/** PKCS#8 PEM to unwrap with: RSA-OAEP with SHA-256 for hash and mask, as DESIGN §4 has it. */
export function unwrappingKey(pem: string): webcrypto.CryptoKey {
  return createPrivateKey(pem).toCryptoKey({ name: 'RSA-OAEP', hash: 'SHA-256' }, false, [
    'decrypt',
  ]);
}
