import { appendFile, mkdtemp, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scratch } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import { CliError } from './cli-error.ts';
import { linesOf } from './lines-of.ts';
import { reason } from './reason.ts';

/**
 * The bytes of a part held before they are written to its file; 256 parts together hold 8 MiB. In
 * bytes, not as strings: those would live long enough to be collected late.
 */
const HELD_BYTES = 32 * 1024;
const OWNER_ONLY = 0o600;

interface Held {
  readonly bytes: Buffer;
  used: number;
}

/** A scratch in files of one folder, one a part. */
export class FileScratch implements Scratch {
  readonly #path: string;
  readonly #held = new Map<number, Held>();

  constructor(path: string) {
    this.#path = path;
  }

  write(part: number, line: string): Promise<void> | undefined {
    let held = this.#held.get(part);
    if (held === undefined)
      this.#held.set(part, (held = { bytes: Buffer.allocUnsafeSlow(HELD_BYTES), used: 0 }));
    const text = `${line}\n`;
    // Three bytes are the most that a UTF-16 unit takes.
    if (held.used + text.length * 3 > HELD_BYTES) return this.#writeThrough(part, held, text);
    held.used += held.bytes.write(text, held.used, 'utf8');
    return undefined;
  }

  async *read(part: number): AsyncGenerator<string> {
    await this.#flush(part);
    const file = await usable(() => openIfThere(this.#fileOf(part)));
    if (file === undefined) return;
    try {
      yield* linesOf(file.createReadStream({ encoding: 'utf8', autoClose: false }));
    } finally {
      await file.close();
    }
  }

  async #writeThrough(part: number, held: Held, text: string): Promise<void> {
    await this.#flush(part);
    if (text.length * 3 > HELD_BYTES) await this.#append(part, Buffer.from(text));
    else held.used = held.bytes.write(text, 0, 'utf8');
  }

  async #flush(part: number): Promise<void> {
    const held = this.#held.get(part);
    if (held === undefined || held.used === 0) return;
    await this.#append(part, held.bytes.subarray(0, held.used));
    held.used = 0;
  }

  async #append(part: number, bytes: Uint8Array): Promise<void> {
    await usable(() => appendFile(this.#fileOf(part), bytes, { mode: OWNER_ONLY }));
  }

  #fileOf(part: number): string {
    return `${this.#path}-${part.toString(16).padStart(2, '0')}`;
  }
}

/**
 * Scratches for the time of `work`, in a folder under the system's temporary one that only its
 * owner reads: consent ids go there.
 */
export async function withScratch<T>(
  work: (scratch: (name: string) => Scratch) => Promise<T>,
): Promise<T> {
  const folder = await usable(() => mkdtemp(join(tmpdir(), 'residency-')));
  try {
    return await work((name) => new FileScratch(join(folder, name)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function usable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CliError({
      code: 'SCRATCH_UNUSABLE',
      message: `Expected room for temporary files, found ${reason(cause)}; free it, or name another folder by TMPDIR.`,
      remedy: 'stop',
      cause,
    });
  }
}
