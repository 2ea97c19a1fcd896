import { auditEventIn, formatPosition, isStoredIn, sha256OfParts } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
import { KeySet } from './key-set.ts';

export interface StoredObjects {
  /**
   * Whether the submission's object may be a stored sample's: its metadata name the record that is
   * stored, or the one whose object that record adopted. `metadata` absent: they cannot be read, so
   * it suffices that the submission is stored.
   */
  has(submission: string, metadata: ObjectMetadata | undefined): boolean;
}

/**
 * The objects of a region's stored samples. `audit`: every audit event. `lost`: the positions of the
 * samples that were given up; their objects are no stored samples'.
 */
export async function storedObjects(
  region: string,
  audit: AsyncIterable<Buffer>,
  lost: ReadonlySet<string>,
): Promise<StoredObjects> {
  const [submissions, owners] = [new KeySet(), new KeySet()];
  for await (const value of audit) {
    const event = auditEventIn(value);
    if (!isStoredIn(region, event)) continue;
    const position = formatPosition(event.position);
    if (lost.has(position)) continue;
    const { submission, placements } = event.data;
    submissions.add(submission);
    owners.add(sha256OfParts(submission, position));
    for (const { adopted } of placements)
      if (adopted !== undefined) owners.add(sha256OfParts(submission, adopted.position));
  }
  return {
    has: (submission, metadata) =>
      metadata === undefined
        ? submissions.has(submission)
        : owners.has(sha256OfParts(submission, metadata.position)),
  };
}
