import { constants } from 'node:crypto';
import { CommitmentPolicy, RawRsaKeyringNode, buildClient } from '@aws-crypto/client-node';
import { keyNamespace } from './encryption-context.ts';

/** Refuses to seal without key commitment, and to open what was sealed without it. One wrapped data key a message. */
export const { encrypt, decrypt } = buildClient({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

/** RSA-OAEP with SHA-256 for hash and mask, as DESIGN §4 has it. */
export function keyring(
  region: string,
  keyName: string,
  rsaKey: { readonly publicKey: string } | { readonly privateKey: string },
): RawRsaKeyringNode {
  return new RawRsaKeyringNode({
    keyNamespace: keyNamespace(region),
    keyName,
    rsaKey,
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: 'sha256',
  });
}
