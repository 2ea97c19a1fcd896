/** How many parts a scratch has: what is held in memory is one part at a time, a 256th of the whole. */
export const SCRATCH_PARTS = 256;

/**
 * Room outside memory, for one run: lines in numbered parts (0 to 255), each part's read back in the order they were
 * written in. A line has no newline. Lines may be written while others are read. Errors carry remedy `stop`: the run is to be begun again.
 */
export interface Scratch {
  /** A promise where the caller must wait before it goes on, so that memory does not grow. */
  write(part: number, line: string): Promise<void> | undefined;
  /** Every line written to the part before the call. */
  read(part: number): AsyncIterable<string>;
}
