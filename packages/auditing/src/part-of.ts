import { createHash } from 'node:crypto';

/**
 * The part of a scratch store for a consent: the first byte of the SHA-256 of its id. A publisher
 * who chooses ids therefore cannot overfill one part.
 */
export function partOf(consentId: string): number {
  return createHash('sha256').update(consentId, 'utf8').digest().readUInt8(0);
}
