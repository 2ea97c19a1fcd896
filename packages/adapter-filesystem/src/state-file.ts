import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isFull, isOutOfHandles, systemFailure } from '@residency/coded-error';
import pLimit from 'p-limit';
import { removeIfThere, syncDirectory, writeNewFile } from './durable-files.ts';
import { FilesystemError, errnoOf, outOfHandles } from './filesystem-error.ts';

/**
 * A small file that one process keeps for its next run, in an existing folder. A write is atomic,
 * and durable once the call resolves. Throws `STATE_UNREACHABLE` and `STATE_FULL` (retry),
 * `STATE_TAKEN` (stop).
 */
export class StateFile {
  readonly #directory: string;
  readonly #name: string;
  /** The content as this instance last read or wrote it. */
  #known: Buffer | undefined;
  /** Serialises replacements. */
  readonly #mutex = pLimit(1);

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  /** `undefined` if nothing was written yet. */
  async read(): Promise<Buffer | undefined> {
    return await inState(async () => {
      // A missing folder must not look like an existing one without the file.
      await syncDirectory(this.#directory);
      this.#known = await this.#standing();
      return this.#known;
    });
  }

  /**
   * Replaces the bytes that `read` returned or `replace` wrote last. Throws `STATE_TAKEN` if the
   * file holds other bytes or is missing.
   */
  async replace(bytes: Uint8Array): Promise<void> {
    await this.#mutex(() => inState(() => this.#replace(Buffer.from(bytes))));
  }

  /** Renames the file, replacing an earlier file of that name, and returns the new name. */
  async setAside(): Promise<string> {
    return await inState(async () => {
      const aside = join(this.#directory, `${this.#name}.damaged`);
      await rename(join(this.#directory, this.#name), aside);
      await syncDirectory(this.#directory);
      this.#known = undefined;
      return aside;
    });
  }

  async #replace(bytes: Buffer): Promise<void> {
    await syncDirectory(this.#directory);
    const standing = await this.#standing();
    const taken =
      standing === undefined
        ? this.#known !== undefined
        : this.#known === undefined || !standing.equals(this.#known);
    if (taken)
      throw new FilesystemError({
        code: 'STATE_TAKEN',
        message: `Expected ${this.#name} in its folder as this process left it, found it gone, or another's. Give each process a folder of its own that stays where it is, and start it again.`,
        remedy: 'stop',
      });
    // A crash may have left a temporary file.
    const temporary = join(this.#directory, `${this.#name}.new`);
    await removeIfThere(temporary);
    await writeNewFile(temporary, bytes);
    await rename(temporary, join(this.#directory, this.#name));
    this.#known = bytes;
    await syncDirectory(this.#directory);
  }

  async #standing(): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#directory, this.#name));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Gives failures of the operating system their codes. */
export async function inState<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    if (isOutOfHandles(errno)) throw outOfHandles(errno, cause);
    if (isFull(errno))
      throw new FilesystemError({
        code: 'STATE_FULL',
        message: `Expected room for the process's state, found ${systemFailure(errno)}. What waits is tried again.`,
        remedy: 'retry',
        cause,
      });
    throw new FilesystemError({
      code: 'STATE_UNREACHABLE',
      message: `Expected a folder for the process's state that it may read and write, found ${systemFailure(errno)}. Make, mount or repair it; the operation is tried again.`,
      remedy: 'retry',
      cause,
    });
  }
}
