import type { Difference } from '../difference.ts';

/** The object of a stored event in one of its sites. */
export interface PlacedObject {
  readonly site: string;
  /** The partition of the intake log: `<log>/<topic>/<partition>`. */
  readonly partition: string;
  readonly offset: bigint;
}

/** The progress of a pass over the objects, so that the pass can be interrupted and resumed. */
export interface ReadingProgress {
  /** Whether the object was checked before in this pass. If so, it is not read again. */
  isChecked(object: PlacedObject): boolean;
  /**
   * Called before an object is read; within a site and partition in the order of offsets. The
   * returned function is called with the differences after the comparison, in any order between
   * objects. It is never called if the object could not be read.
   */
  begins(object: PlacedObject): (found: readonly Difference[]) => void;
}
