import {
  CommitmentPolicy,
  KeyringNode,
  KeyringTraceFlag,
  buildDecrypt,
} from '@aws-crypto/client-node';
import type { EncryptedDataKey, NodeDecryptionMaterial } from '@aws-crypto/client-node';
import { codeOf } from '@residency/coded-error';
import { keyNamespace } from './encryption-context.ts';
import type { KeyUnwrapper } from './ports/key-unwrapper.ts';

/** Refuses what was sealed without key commitment. One wrapped data key a message. */
export const { decrypt } = buildDecrypt({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

/** Gives the SDK the data key of one message, from a `KeyUnwrapper`. */
export class UnwrappingKeyring extends KeyringNode {
  readonly #region: string;
  readonly #unwrapper: KeyUnwrapper;
  readonly #signal: AbortSignal | undefined;
  #refusal: Error | undefined;

  constructor(region: string, unwrapper: KeyUnwrapper, signal: AbortSignal | undefined) {
    super();
    this.#region = region;
    this.#unwrapper = unwrapper;
    this.#signal = signal;
  }

  override async _onEncrypt(): Promise<never> {
    throw new TypeError('Expected to unwrap only.');
  }

  /**
   * Leaves the material without a data key if none was wrapped for the region: the SDK refuses that.
   * Rejects as the unwrapper does.
   */
  override async _onDecrypt(
    material: NodeDecryptionMaterial,
    wrappedKeys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    const namespace = keyNamespace(this.#region);
    const ours = wrappedKeys.find(({ providerId }) => providerId === namespace);
    if (ours === undefined) return material;
    const keyName = ours.providerInfo;
    const dataKey = await this.#unwrap(keyName, ours.encryptedDataKey);
    // The SDK takes no part of a larger buffer. It keeps the key in OpenSSL's memory.
    const copy = Uint8Array.from(dataKey);
    try {
      return material.setUnencryptedDataKey(copy, {
        keyNamespace: namespace,
        keyName,
        flags: KeyringTraceFlag.WRAPPING_KEY_DECRYPTED_DATA_KEY,
      });
    } finally {
      for (const key of [dataKey, copy]) key.fill(0);
    }
  }

  async #unwrap(keyId: string, wrapped: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#unwrapper.unwrap(keyId, wrapped, this.#signal);
    } catch (error) {
      if (error instanceof Error && codeOf(error) !== undefined) this.#refusal = error;
      throw error;
    }
  }

  /** The unwrapper's coded error, if that is why the message did not open. */
  get refusal(): Error | undefined {
    return this.#refusal;
  }
}
