import { createHash } from 'node:crypto';

/**
 * The part of a scratch that a consent's lines go to: the first byte of the SHA-256 of its id, so that whoever chooses
 * ids can not crowd one part.
 */
export function partOf(consentId: string): number {
  return createHash('sha256').update(consentId, 'utf8').digest().readUInt8(0);
}
