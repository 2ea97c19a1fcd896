import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { removeIfThere, syncDirectory, writeNewFile } from './durable-files.ts';
import { FilesystemError, errnoOf } from './filesystem-error.ts';

/**
 * A small file that one process keeps for itself and its next one, in a folder that must stand. It is there whole or as it was before,
 * and durable once a call resolves. Throws `STATE_UNREACHABLE` and `STATE_FULL` (retry), `STATE_TAKEN` (stop).
 */
export class StateFile {
  readonly #directory: string;
  readonly #name: string;
  /** As this instance read or wrote it last. */
  #known: Buffer | undefined;
  /** None replaces while another one does. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  /** `undefined` where none was written yet. */
  async read(): Promise<Buffer | undefined> {
    return await inState(async () => {
      // A folder that is not there must not pass for one without a file.
      await syncDirectory(this.#directory);
      this.#known = await this.#standing();
      return this.#known;
    });
  }

  /** Puts the bytes in the place of what `read` gave or `replace` wrote last. `STATE_TAKEN`: something else stands there, or nothing. */
  async replace(bytes: Uint8Array): Promise<void> {
    const work = async (): Promise<void> => {
      await inState(() => this.#replace(Buffer.from(bytes)));
    };
    const next = this.#last.then(work, work);
    this.#last = next;
    await next;
  }

  /** Gives the file a name beside its own, in the place of one that was put there before; that name. */
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
    // A crash may have left one.
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

async function inState<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    if (errno === 'ENOSPC' || errno === 'EDQUOT')
      throw new FilesystemError({
        code: 'STATE_FULL',
        message: `Expected room for the process's state, found ${errno}. Free or add disk space; what waits is tried again.`,
        remedy: 'retry',
        cause,
      });
    throw new FilesystemError({
      code: 'STATE_UNREACHABLE',
      message: `Expected the folder of the process's state to stand where it may read and write, found ${errno}. Make, mount or repair it; what waits is tried again.`,
      remedy: 'retry',
      cause,
    });
  }
}
