import type { RegisterStore } from '@residency/custodianship';

/** A register in memory. */
export class MemoryRegisterStore implements RegisterStore {
  /** What `read` returns. */
  bytes: Buffer | undefined;
  at = 0;
  replaced = 0;

  async read(): Promise<{ readonly bytes: Buffer; readonly at: number } | undefined> {
    // A reader may change what it gets.
    return this.bytes === undefined ? undefined : { bytes: Buffer.from(this.bytes), at: this.at };
  }

  async replace(pieces: Iterable<Uint8Array>): Promise<number> {
    const bytes = Buffer.concat([...pieces]);
    this.bytes = bytes;
    this.replaced += 1;
    return await Promise.resolve(bytes.length);
  }
}
