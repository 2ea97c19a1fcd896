import { createHash, createPublicKey, generateKeyPair } from 'node:crypto';

/** PEM: SPKI and PKCS#8. */
export interface RegionKey {
  readonly id: string;
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}

/** `<region>-<time of making, UTC>-<first 8 hex digits of SHA-256 over the SPKI DER>`: ids of a region sort by age. */
export const KEY_ID = /^[a-z0-9][a-z0-9.-]{0,63}-\d{8}T\d{9}Z-[0-9a-f]{8}$/;

/** RSA, 3072 bits: 128-bit security (NIST SP 800-57 part 1, table 2). `at`: milliseconds since the epoch. */
export async function generateRegionKey(region: string, at: number): Promise<RegionKey> {
  const { publicKey, privateKey } = await rsaPair();
  const time = new Date(at).toISOString().replace(/[-:.]/g, '');
  const fingerprint = createHash('sha256').update(createPublicKey(publicKey).export({ type: 'spki', format: 'der' })).digest('hex');
  return { id: `${region}-${time}-${fingerprint.slice(0, 8)}`, publicKeyPem: publicKey, privateKeyPem: privateKey };
}

function rsaPair(): Promise<{ readonly publicKey: string; readonly privateKey: string }> {
  return new Promise((resolve, reject) => {
    generateKeyPair('rsa', {
      modulusLength: 3072,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    }, (error, publicKey, privateKey) => {
      if (error === null) resolve({ publicKey, privateKey });
      else reject(error);
    });
  });
}
