/**
 * The region in which an identity was stored, if it is remembered. In memory and bounded, so old
 * entries are forgotten.
 */
export interface RegionIndex {
  /** `undefined`: not stored, or forgotten. */
  regionOf(submission: string): string | undefined;
  note(submission: string, region: string): void;
}
