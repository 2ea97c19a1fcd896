/** In which region an identity was stored, as far as it is remembered. For one process, in memory; bounded, so it forgets. */
export interface RegionIndex {
  /** `undefined`: not stored, or forgotten. */
  regionOf(submission: string): string | undefined;
  note(submission: string, region: string): void;
}
