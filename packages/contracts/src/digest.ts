import { createHash } from 'node:crypto';

/** Lower-case hex SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Lower-case hex SHA-256 over length-prefixed parts (each UTF-8, preceded by its length in bytes as
 * a big-endian uint32), so that no two different lists of parts give the same bytes.
 */
export function sha256OfParts(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}

/** The id of a submission. It is safe in a path and contains nothing about a person (DESIGN §1). */
export function submissionId(event: { readonly source: string; readonly id: string }): string {
  return sha256OfParts(event.source, event.id);
}
