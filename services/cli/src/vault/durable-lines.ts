import type { FileHandle } from 'node:fs/promises';
import { shareNext } from '@residency/waiting';

/**
 * Appends lines to a file. What is appended while an earlier write is on its way is written
 * together, with one `fsync`.
 */
export class DurableLines {
  readonly #file: FileHandle;
  #waiting: string[] = [];
  #last: Promise<void> = Promise.resolve();
  readonly #writeNext = shareNext(async () => {
    // After a failure all others fail, so that no line follows a torn one.
    this.#last = this.#last.then(() => this.#write());
    await this.#last;
  });

  /** A file that was opened to append. */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Resolves once the line is on the disk. After a failure every call rejects with it. */
  async append(line: string): Promise<void> {
    this.#waiting.push(`${line}\n`);
    await this.#writeNext();
  }

  /** Resolves once every line that was appended so far is on the disk. */
  async settled(): Promise<void> {
    await (this.#waiting.length === 0 ? this.#last : this.#writeNext());
  }

  async #write(): Promise<void> {
    const text = this.#waiting.join('');
    this.#waiting = [];
    await this.#file.appendFile(text);
    await this.#file.datasync();
  }
}
