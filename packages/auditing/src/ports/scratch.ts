/**
 * The number of parts of a scratch store. Memory holds one part at a time, a 256th of the whole.
 */
export const SCRATCH_PARTS = 256;

/**
 * Temporary storage outside memory, for one run: lines in numbered parts (0 to 255). A part is read
 * back in the order of its writes. A line has no newline. Lines may be written while others are
 * read. Errors have remedy `stop`: the run must start again.
 */
export interface Scratch {
  /**
   * Returns a promise if the caller must wait before it continues, so that memory does not grow.
   */
  write(part: number, line: string): Promise<void> | undefined;
  /** All lines written to the part before the call. */
  read(part: number): AsyncIterable<string>;
}
