import type { Difference } from '../difference.ts';

/** The object of a stored event in one of its sites. */
export interface PlacedObject {
  readonly site: string;
  /** Of the intake log, `<log>/<topic>/<partition>`. */
  readonly partition: string;
  readonly offset: bigint;
}

/** Lets a pass over the objects be interrupted and go on. */
export interface ReadingProgress {
  /** Whether the object was checked before, since the pass began; it is not read again. */
  isChecked(object: PlacedObject): boolean;
  /**
   * The object is about to be read: of one site and partition in the order of their offsets. What it returns is called once it was
   * compared, with what was found, in any order; never where it could not be read.
   */
  begins(object: PlacedObject): (found: readonly Difference[]) => void;
}
