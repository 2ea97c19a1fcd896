import { defined } from '@residency/defined';
import { canonicalJson } from '@residency/residency';
import type { AuditEvent } from './audit-event.ts';
import { sha256 } from './digest.ts';
import { objectKey } from './object-key.ts';
import type { ObjectMetadata } from './object-metadata.ts';
import { formatPosition } from './position.ts';

/** An object that is written in the place of an erased sample (docs/formats/object.md). */
export interface Tombstone {
  readonly key: string;
  readonly bytes: Buffer;
  readonly metadata: ObjectMetadata;
}

/** `order`: the `act` of the order that erases the sample. */
export function tombstoneOf(
  { position, data }: Extract<AuditEvent, { readonly outcome: 'stored' }>,
  order: string,
): Tombstone {
  const { submission, sampleSha256, country, decision, placements, arbiter } = data;
  const bytes = tombstoneBytes(submission, order);
  return {
    key: objectKey(submission),
    bytes,
    metadata: {
      position: formatPosition(position),
      sampleSha256,
      country,
      policyDigest: decision.policy.digest,
      sealedSha256: sha256(bytes),
      wrappingKey: placements[0]?.wrappingKey ?? '',
      ...defined({ arbiter }),
      erased: order,
    },
  };
}

/**
 * The bytes name the order, so that two tombstones of different orders never have one ETag. A
 * set-aside object of the submission is replaced by the same bytes.
 */
export function tombstoneBytes(submission: string, order: string): Buffer {
  return Buffer.from(`${canonicalJson({ erased: order, submission })}\n`);
}
