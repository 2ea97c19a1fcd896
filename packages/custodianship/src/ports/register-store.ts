/** One register's place between processes, such as a file. What it holds can be computed anew. */
export interface RegisterStore {
  /**
   * The bytes of the last `replace` that ended, also of an earlier process, and when it did, wall
   * clock, milliseconds. `undefined`: there are none. Throws if they cannot be read, or are not as they
   * were written.
   */
  read(): Promise<{ readonly bytes: Buffer; readonly at: number } | undefined>;
  /**
   * Puts the bytes in the place of those before, durably once it resolves. A process that dies
   * meanwhile leaves the ones or the others, whole. Lets other work go on between pieces. Throws if
   * that fails; the ones or the others are there then too. Returns the number of bytes.
   */
  replace(pieces: Iterable<Uint8Array>): Promise<number>;
}
