import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { RegisterStore } from '@residency/custodianship';
import { FILE_MODE, removeIfThere, syncDirectory } from './durable-files.ts';
import { FilesystemError, errnoOf } from './filesystem-error.ts';
import { inState } from './state-file.ts';

const DIGEST_BYTES = 32;
/** Hashed and written at once. Other work goes on in between. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * A region's register in a file of an existing folder, readable by its owner only: the bytes, and their
 * SHA-256. Throws `STATE_UNREACHABLE` and `STATE_FULL` (retry), `STATE_DAMAGED` (stop). If two
 * processes use one file, the digest tells what they mix.
 */
export class RegisterFile implements RegisterStore {
  readonly #directory: string;
  readonly #name: string;

  constructor(directory: string, region: string) {
    this.#directory = directory;
    this.#name = `register-${region}`;
  }

  async read(): Promise<{ readonly bytes: Buffer; readonly at: number } | undefined> {
    return await inState(async () => {
      // A missing folder must not look like an existing one without the file.
      await stat(this.#directory);
      let file: FileHandle;
      try {
        file = await open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW);
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      }
      try {
        return await wholeOf(file);
      } finally {
        await file.close();
      }
    });
  }

  async replace(pieces: Iterable<Uint8Array>): Promise<number> {
    return await inState(async () => {
      // A process that was killed may have left one.
      const temporary = `${this.#path}.new`;
      await removeIfThere(temporary);
      const file = await open(temporary, 'wx', FILE_MODE);
      let bytes: number;
      try {
        bytes = await writeAll(file, pieces);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.#path);
      await syncDirectory(this.#directory);
      return bytes;
    });
  }

  get #path(): string {
    return join(this.#directory, this.#name);
  }
}

async function wholeOf(file: FileHandle): Promise<{ readonly bytes: Buffer; readonly at: number }> {
  const { size, mtimeMs } = await file.stat();
  if (size < DIGEST_BYTES) throw damaged();
  const whole = Buffer.allocUnsafeSlow(size);
  const hash = createHash('sha256');
  const end = size - DIGEST_BYTES;
  for (let from = 0; from < size;) {
    const { bytesRead } = await file.read(whole, from, Math.min(CHUNK_BYTES, size - from), from);
    if (bytesRead === 0) throw damaged();
    hash.update(whole.subarray(from, Math.min(from + bytesRead, end)));
    from += bytesRead;
  }
  if (!hash.digest().equals(whole.subarray(end))) throw damaged();
  return { bytes: whole.subarray(0, end), at: mtimeMs };
}

async function writeAll(file: FileHandle, pieces: Iterable<Uint8Array>): Promise<number> {
  const hash = createHash('sha256');
  let [chunk, waiting, bytes]: [Uint8Array[], number, number] = [[], 0, 0];
  const flush = async (): Promise<void> => {
    const whole = Buffer.concat(chunk);
    hash.update(whole);
    // At the end of what is written, and all of it.
    await file.writeFile(whole);
    bytes += waiting;
    [chunk, waiting] = [[], 0];
  };
  for (const piece of pieces) {
    chunk.push(piece);
    waiting += piece.length;
    if (waiting >= CHUNK_BYTES) await flush();
  }
  await flush();
  await file.writeFile(hash.digest());
  return bytes + DIGEST_BYTES;
}

function damaged(): FilesystemError {
  return new FilesystemError({
    code: 'STATE_DAMAGED',
    message:
      'Expected a register as a custodian wrote it, found other bytes. It is passed over, and both logs are read from their start.',
    remedy: 'stop',
  });
}
