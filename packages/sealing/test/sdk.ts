import { constants } from 'node:crypto';
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  RawRsaKeyringNode,
  buildClient,
} from '@aws-crypto/client-node';
import type { MultiKeyringNode } from '@aws-crypto/client-node';

// The SDK's own sealer and opener with its own keyring: no code of ours takes part.
const anyPolicy = buildClient(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT);
const committing = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

export interface SdkMessage {
  readonly sample: Buffer;
  readonly values: Record<string, string>;
  readonly to: RawRsaKeyringNode | MultiKeyringNode;
  readonly frameLength?: number;
  /** `false`: the suite without key commitment. */
  readonly commits?: boolean;
}

export async function sealWithSdk({
  sample,
  values,
  to,
  frameLength = 4096,
  commits = true,
}: SdkMessage): Promise<Buffer> {
  const about = { encryptionContext: values, frameLength };
  const { result } = commits
    ? await committing.encrypt(to, sample, {
        ...about,
        suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
      })
    : await anyPolicy.encrypt(to, sample, {
        ...about,
        suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA256,
      });
  return result;
}

/** Whatever is bound to the message. */
export async function openWithSdk(
  { id, privateKeyPem }: { readonly id: string; readonly privateKeyPem: string },
  message: Buffer,
  region = 'zurich',
): Promise<{ readonly sample: Buffer; readonly values: Record<string, string> }> {
  const { plaintext, messageHeader } = await committing.decrypt(
    keyring(`residency/${region}`, id, { privateKey: privateKeyPem }),
    message,
  );
  return { sample: plaintext, values: { ...messageHeader.encryptionContext } };
}

export function rawRsa(
  keyNamespace: string,
  key: { readonly id: string; readonly publicKeyPem: string },
): RawRsaKeyringNode {
  return keyring(keyNamespace, key.id, { publicKey: key.publicKeyPem });
}

function keyring(
  keyNamespace: string,
  keyName: string,
  rsaKey: { readonly publicKey: string } | { readonly privateKey: string },
): RawRsaKeyringNode {
  return new RawRsaKeyringNode({
    keyNamespace,
    keyName,
    rsaKey,
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: 'sha256',
  });
}
