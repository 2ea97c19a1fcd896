import type { FileHandle } from 'node:fs/promises';

/**
 * Appends lines to a file. What is appended while an earlier write is on its way is written
 * together, with one `fsync`.
 */
export class DurableLines {
  readonly #file: FileHandle;
  #waiting: string[] = [];
  /** The write that takes what is waiting. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  /** A file that was opened to append. */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * Resolves once the line is on the disk. After a failure every call rejects with it, so that no
   * line follows a torn one.
   */
  append(line: string): Promise<void> {
    this.#waiting.push(`${line}\n`);
    if (this.#next === undefined) {
      this.#next = this.#last.then(async () => {
        const text = this.#waiting.join('');
        this.#waiting = [];
        this.#next = undefined;
        await this.#file.appendFile(text);
        await this.#file.datasync();
      });
      this.#last = this.#next;
    }
    return this.#next;
  }

  /** Resolves once every line that was appended so far is on the disk. */
  settled(): Promise<void> {
    return this.#last;
  }
}
