import { auditEventIn, formatPosition, objectKey, sha256 } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
import { KeySet } from './key-set.ts';

export interface StoredObjects {
  /**
   * Whether an object under this key may be a stored sample's: its metadata name the record that is
   * stored, or the one whose object that adopted. `metadata` absent: unreadable, so the key decides.
   */
  has(key: string, metadata: ObjectMetadata | undefined): boolean;
}

/** The objects of a region's stored samples. `audit`: every audit event. */
export async function storedObjects(
  region: string,
  audit: AsyncIterable<Buffer>,
): Promise<StoredObjects> {
  const [keys, owners] = [new KeySet(), new KeySet()];
  for await (const value of audit) {
    const event = auditEventIn(value);
    if (event?.outcome !== 'stored' || event.data.decision.region !== region) continue;
    const key = objectKey(event.data.submission);
    keys.add(sha256(Buffer.from(key)));
    owners.add(ownerOf(key, formatPosition(event.position)));
    for (const { adopted } of event.data.placements)
      if (adopted !== undefined) owners.add(ownerOf(key, adopted.position));
  }
  return {
    has: (key, metadata) =>
      metadata === undefined
        ? keys.has(sha256(Buffer.from(key)))
        : owners.has(ownerOf(key, metadata.position)),
  };
}

function ownerOf(key: string, position: string): string {
  return sha256(Buffer.from(`${key} ${position}`));
}
