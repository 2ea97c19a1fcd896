import { randomUUID } from 'node:crypto';
import { lstat, mkdir, opendir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  linkIfFree,
  removeIfThere,
  syncDirectory,
} from '@residency/adapter-filesystem/durable-files';
import { acquireRoutingLock } from '@residency/adapter-sqlite/routing-lock';
import { hasCode } from '@residency/coded-error';
import type { AccessForm } from '@residency/contracts/vocabulary';
import { CliError } from '../terminal/cli-error.ts';
import { printable } from '../terminal/output.ts';
import { unwritable } from '../terminal/unwritable.ts';
import { writeNewFile } from '../terminal/write-new-file.ts';
import { AccessJournal } from './access-journal.ts';
import type { JournalTerms, SavedFile } from './access-journal.ts';
import type { GivenSample } from './vault-client.ts';

const OPTION = '--out';
const JOURNAL = '.residency-accesses.ndjson';
const LOCK = '.residency-accesses.lock';
const TEMPORARY = /^\.residency-[0-9a-f-]{36}\.part$/;

/** `bytes`: the length of the file that is there now. */
export type Saving =
  | { readonly state: 'saved' | 'present'; readonly file: string; readonly bytes: number }
  | { readonly state: 'taken'; readonly file: string };

/** The folder that samples are saved to, for one command at a time. */
export class SampleFolder {
  readonly journal: AccessJournal;
  readonly #path: string;
  readonly #release: () => Promise<void>;
  /** The last one that saves under a name, while it does. */
  readonly #turns = new Map<string, Promise<unknown>>();

  private constructor(path: string, journal: AccessJournal, release: () => Promise<void>) {
    this.#path = path;
    this.journal = journal;
    this.#release = release;
  }

  /**
   * Makes it if it is missing, and removes files that were not finished. Throws `FOLDER_IN_USE`
   * (retry), `FILE_UNREADABLE`, `OUTPUT_UNWRITABLE`, and as `AccessJournal.open`.
   */
  static async open(path: string, terms?: JournalTerms): Promise<SampleFolder> {
    await writing(path, () => mkdir(path, { recursive: true, mode: 0o700 }));
    const lock = await lockFolder(path);
    try {
      await writing(path, () => removeUnfinished(path));
      const journal = await AccessJournal.open(join(path, JOURNAL), terms);
      await writing(path, () => syncDirectory(path));
      return new SampleFolder(path, journal, () => lock.release());
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** True if a file of this name and length is there. */
  async has({ file, bytes }: SavedFile): Promise<boolean> {
    try {
      const stats = await lstat(join(this.#path, file));
      return stats.isFile() && stats.size === bytes;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw unwritable(OPTION, this.#path, error);
    }
  }

  /**
   * Gives the sample its name once the journal says so: a file of its owner's, durable, whole or not
   * at all. `present`: a file of this name has this sample in this form already, perhaps of another
   * length. `taken`: another file has the name; it stays as it is. `key`: as in the journal.
   */
  async save(key: string, access: string, sample: GivenSample): Promise<Saving> {
    const { fileName } = sample;
    // Two submissions may have one sample, hence one name.
    const turn = (this.#turns.get(fileName) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.#save(key, access, sample));
    this.#turns.set(fileName, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(fileName) === turn) this.#turns.delete(fileName);
    }
  }

  async close(): Promise<void> {
    await this.journal.close();
    await this.#release();
  }

  async #save(key: string, access: string, sample: GivenSample): Promise<Saving> {
    const { fileName: file, bytes } = sample;
    const saved = { file, bytes: bytes.length, form: formOf(sample) };
    const target = join(this.#path, file);
    const earlier = this.journal.fileOf(file);
    if (earlier !== undefined && (await this.has(earlier))) {
      // Packed anew, the same sample need not be the same bytes.
      if (earlier.form !== saved.form && !(await isSame(target, bytes)))
        return { state: 'taken', file };
      const present = { ...saved, bytes: earlier.bytes };
      await this.journal.keepSaved(key, access, present);
      return { state: 'present', file, bytes: present.bytes };
    }
    const temporary = join(this.#path, `.residency-${randomUUID()}.part`);
    await writeNewFile(temporary, bytes, OPTION);
    try {
      await this.journal.keepSaved(key, access, saved);
      if (await writing(target, () => linkIfFree(temporary, target))) {
        await writing(this.#path, () => syncDirectory(this.#path));
        return { state: 'saved', file, bytes: saved.bytes };
      }
    } finally {
      await removeIfThere(temporary);
    }
    if (await isSame(target, bytes)) return { state: 'present', file, bytes: saved.bytes };
    await this.journal.keepNotSaved(key, access, file);
    return { state: 'taken', file };
  }
}

/** The compression method of an entry that is encrypted with AES (APPNOTE 4.4.5). */
const AES = 99;
const METHOD_AT = 8;

/** By the bytes, because `zip` and `zip-legacy` have the same ending. */
function formOf({ fileName, bytes }: GivenSample): AccessForm {
  if (fileName.endsWith('.cart')) return 'cart';
  if (fileName.endsWith('.bin')) return 'raw';
  const method = bytes.length < METHOD_AT + 2 ? undefined : bytes.readUInt16LE(METHOD_AT);
  return method === AES ? 'zip' : 'zip-legacy';
}

/** A lock of the operating system, which ends with the process, however that ends. */
async function lockFolder(path: string): Promise<{ release(): Promise<void> }> {
  try {
    return await acquireRoutingLock(join(path, LOCK));
  } catch (cause) {
    if (hasCode(cause, 'ROUTING_LOCKED'))
      throw new CliError({
        code: 'FOLDER_IN_USE',
        message: `Expected no other command to save samples to ${printable(path)}, found one; wait for its end, or name another --out.`,
        remedy: 'retry',
        cause,
      });
    throw new CliError({
      code: 'FILE_UNREADABLE',
      message: `Expected ${OPTION} ${printable(path)} to be a folder this user can write to, found that it is not; name another.`,
      remedy: 'stop',
      cause,
    });
  }
}

/** What a command that was killed was writing. */
async function removeUnfinished(path: string): Promise<void> {
  for await (const { name } of await opendir(path))
    if (TEMPORARY.test(name)) await removeIfThere(join(path, name));
}

async function isSame(path: string, bytes: Buffer): Promise<boolean> {
  try {
    const stats = await lstat(path);
    return stats.isFile() && stats.size === bytes.length && bytes.equals(await readFile(path));
  } catch {
    return false;
  }
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unwritable(OPTION, path, error);
  }
}
