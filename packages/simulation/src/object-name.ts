import { sha256 } from '@residency/contracts';
import type { Placement } from '@residency/contracts';
import { readJson } from '@residency/residency';
import type { SimObject } from './s3/bucket.ts';

/** `<site>/<key>/<position>/<digest of the sealed bytes>`: one object, whatever stands there later. */
export function objectName(
  site: string,
  key: string,
  position: string,
  sealedSha256: string,
): string {
  return `${site}/${key}/${position}/${sealedSha256}`;
}

export function nameOf(site: string, key: string, { metadata, bytes }: SimObject): string {
  return objectName(site, key, metadata.position ?? '', sha256(bytes));
}

/** Of the object that an event's placement names. */
export function placedName(
  position: string,
  { site, key, sealedSha256, adopted }: Placement,
): string {
  return objectName(site, key, adopted?.position ?? position, sealedSha256);
}

/** The simulated sealed message: what the context binds, and the sample in hex, in the clear. */
export interface Sealed {
  readonly region: string;
  readonly sampleSha256: string;
  readonly sample: string;
}

export function readSealed(bytes: Buffer): Sealed {
  const found: unknown = readJson(bytes.toString('utf8'));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the simulated sealer
  return found as Sealed;
}
