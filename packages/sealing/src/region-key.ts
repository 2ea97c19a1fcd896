import { createHash, createPublicKey, generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** PEM: SPKI and PKCS#8. */
export interface RegionKey {
  readonly id: string;
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}

/**
 * `<region>-<time of making, UTC>-<first 8 hex digits of SHA-256 over the SPKI DER>`: ids of a
 * region sort by age.
 */
export const KEY_ID = /^[a-z0-9][a-z0-9.-]{0,63}-\d{8}T\d{9}Z-[0-9a-f]{8}$/;

/**
 * RSA, 3072 bits: 128-bit security (NIST SP 800-57 part 1, table 2). `at`: milliseconds since the
 * epoch.
 */
export async function generateRegionKey(region: string, at: number): Promise<RegionKey> {
  const { publicKey, privateKey } = await rsaPair();
  const time = new Date(at).toISOString().replace(/[-:.]/g, '');
  return {
    id: `${region}-${time}-${fingerprint(createPublicKey(publicKey))}`,
    publicKeyPem: publicKey,
    privateKeyPem: privateKey,
  };
}

function rsaPair(): Promise<{ readonly publicKey: string; readonly privateKey: string }> {
  return new Promise((resolve, reject) => {
    generateKeyPair(
      'rsa',
      {
        modulusLength: 3072,
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      },
      (error, publicKey, privateKey) => {
        if (error === null) resolve({ publicKey, privateKey });
        else reject(error);
      },
    );
  });
}

/** First 8 hex digits of SHA-256 over the SPKI DER. */
function fingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 8);
}

/**
 * False: the id says of itself that it names another key, or another region's. An id of another
 * make says nothing.
 */
export function idFits(id: string, region: string, key: KeyObject): boolean {
  if (!KEY_ID.test(id)) return true;
  // The part between the region's name and the fingerprint has a fixed length.
  return (
    id.startsWith(`${region}-`) &&
    id.length === `${region}-20260101T000000000Z-01234567`.length &&
    id.endsWith(`-${fingerprint(key)}`)
  );
}
