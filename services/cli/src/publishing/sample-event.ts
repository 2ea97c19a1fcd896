import { createHash } from 'node:crypto';
import type { CloudEvent } from '@residency/cloudevents';
import { sha256 } from '@residency/contracts/digest';
import { SUBMITTED } from '@residency/contracts/vocabulary';

export interface Offer {
  readonly source: string;
  /** Absent: made from the file's path and content. */
  readonly id?: string;
  readonly country: string;
  readonly consent: string;
  readonly verdict: string;
}

/**
 * A file as a submission. Neither its name nor its type goes out: the contract has no place for a
 * name, on purpose.
 */
export function sampleEvent(
  realPath: Buffer,
  sample: Buffer,
  { source, id, country, consent, verdict }: Offer,
): CloudEvent {
  return {
    specversion: '1.0',
    type: SUBMITTED,
    source,
    id: id ?? eventId(realPath, sample),
    datacontenttype: 'application/octet-stream',
    extensions: { usercountry: country, consentid: consent, verdict },
    data: sample,
  };
}

/**
 * Hex SHA-256 over real path and content digest, each with its length before it as a big-endian
 * uint32: what `sha256OfParts` gives, for paths that need not be text. The same file published
 * again is the same submission, also with another country or consent: that is how the second one is
 * noticed.
 */
export function eventId(realPath: Buffer, sample: Buffer): string {
  const hash = createHash('sha256');
  for (const part of [realPath, Buffer.from(sha256(sample))]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    hash.update(length).update(part);
  }
  return hash.digest('hex');
}
