import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { sha256 } from '@residency/contracts/digest';
import type { AccessForm } from '@residency/contracts/vocabulary';
import { tryReadJson } from '@residency/residency';
import { isObject } from '../http/json-object.ts';
import { newSalt } from '../system/salt.ts';
import { CliError } from '../terminal/cli-error.ts';
import { linesOf } from '../terminal/lines-of.ts';
import { printable } from '../terminal/output.ts';
import { unwritable } from '../terminal/unwritable.ts';
import { DurableLines } from './durable-lines.ts';

/** What a run asks for. Ids that stand for something else are not used again. */
export interface JournalTerms {
  readonly purpose: string;
  readonly form: AccessForm;
  readonly reference: string;
  readonly region?: string;
}

/** A sample's file in the folder. */
export interface SavedFile {
  readonly file: string;
  readonly bytes: number;
  /** How it is packed: two forms have one ending. */
  readonly form: string;
}

/** The access that stands for a submission. */
export interface Known {
  readonly access: string;
  /** It was about to get this name; perhaps it did not. */
  readonly saved?: SavedFile;
}

/** A line of ours has less than 600 characters. */
const MOST_CHARS = 4_096;
const TAIL_BYTES = 64 * 1024;

/**
 * A file beside the samples that says which access id stands for which submission, so that a
 * repeated command is the same access. A line is on the disk before what it announces is done. The
 * reference is not in it; its SHA-256 is, with the salt of the first line.
 */
export class AccessJournal {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #lines: DurableLines;
  readonly #terms: JournalTerms | undefined;
  #salt = '';
  /** By submission; by access if it was asked for elsewhere. */
  readonly #known = new Map<string, Known>();
  /** The files that were saved here, by their names. */
  readonly #files = new Map<string, SavedFile>();

  private constructor(path: string, file: FileHandle, terms: JournalTerms | undefined) {
    this.#path = path;
    this.#file = file;
    this.#lines = new DurableLines(file);
    this.#terms = terms;
  }

  /**
   * Makes the file if it is missing, and removes a last line that a crash tore. Absent terms: nothing
   * will be asked for. Throws `JOURNAL_UNREADABLE`, `FILE_UNREADABLE` and `OUTPUT_UNWRITABLE`.
   */
  static async open(path: string, terms?: JournalTerms): Promise<AccessJournal> {
    let file: FileHandle | undefined;
    try {
      file = await open(path, 'a+', 0o600);
      const journal = new AccessJournal(path, file, terms);
      const end = await endOfLastLine(file);
      await file.truncate(end);
      if (end === 0) await journal.#lines.append(JSON.stringify({ ...HEADER, salt: newSalt() }));
      await journal.#read();
      return journal;
    } catch (error) {
      await file?.close();
      throw error instanceof CliError ? error : unwritable('--out', path, error);
    }
  }

  find(key: string): Known | undefined {
    return this.#known.get(key);
  }

  /** What was saved here under this name. */
  fileOf(name: string): SavedFile | undefined {
    return this.#files.get(name);
  }

  /**
   * From now on this access stands for the submission; at once for `find`. Resolves once it is on the
   * disk: ask for it then, not before.
   */
  async keepAccess(submission: string, access: string): Promise<void> {
    this.#known.set(submission, { access });
    const { purpose, form, region } = this.#terms ?? {};
    await this.#append({ access, submission, purpose, form, region, reference: this.#reference });
  }

  /** Resolves once what was kept before is on the disk. */
  async settled(): Promise<void> {
    await this.#written(this.#lines.settled());
  }

  /** Call it before the file gets its name. `key`: as for `find`. */
  async keepSaved(key: string, access: string, saved: SavedFile): Promise<void> {
    this.#known.set(key, { access, saved });
    this.#files.set(saved.file, saved);
    await this.#append({ access, of: key, ...saved });
  }

  /** The name is another file's. */
  async keepNotSaved(key: string, access: string, file: string): Promise<void> {
    this.#known.set(key, { access });
    this.#files.delete(file);
    await this.#append({ access, of: key, file });
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  get #reference(): string {
    return sha256(Buffer.from(`${this.#salt}\0${this.#terms?.reference ?? ''}`, 'utf8'));
  }

  async #append(line: object): Promise<void> {
    await this.#written(this.#lines.append(JSON.stringify(line)));
  }

  async #written(write: Promise<void>): Promise<void> {
    try {
      await write;
    } catch (error) {
      throw unwritable('--out', this.#path, error);
    }
  }

  async #read(): Promise<void> {
    const unreadable = (): CliError => notAJournal(this.#path);
    const pieces = this.#file.createReadStream({ start: 0, encoding: 'utf8', autoClose: false });
    let reference: string | undefined;
    for await (const line of linesOf(pieces, { mostChars: MOST_CHARS, tooLong: unreadable })) {
      const value = tryReadJson(line);
      if (!isObject(value)) throw unreadable();
      if (reference === undefined) {
        const { salt } = value;
        const isOurs = value['journal'] === HEADER.journal && value['version'] === HEADER.version;
        if (!isOurs || typeof salt !== 'string') throw unreadable();
        this.#salt = salt;
        reference = this.#reference;
      } else if (!this.#follow(value, reference)) throw unreadable();
    }
  }

  /** False: this is no line of ours. */
  #follow(line: Record<string, unknown>, reference: string): boolean {
    const { access, submission, of, file, bytes, form } = line;
    if (typeof access !== 'string') return false;
    if (typeof submission === 'string') {
      if (line['reference'] === reference && this.#isOurs(line))
        this.#known.set(submission, { access });
      return true;
    }
    if (typeof of !== 'string' || typeof file !== 'string') return false;
    // Of an access of another run's: what counts is the file.
    const isOurs = this.#known.get(of)?.access === access || of === access;
    if (typeof bytes === 'number' && typeof form === 'string') {
      const saved = { file, bytes, form };
      if (isOurs) this.#known.set(of, { access, saved });
      this.#files.set(file, saved);
    } else {
      if (isOurs) this.#known.set(of, { access });
      this.#files.delete(file);
    }
    return true;
  }

  #isOurs({ purpose, form, region }: Record<string, unknown>): boolean {
    const terms = this.#terms;
    return terms?.purpose === purpose && terms?.form === form && terms?.region === region;
  }
}

const HEADER = { journal: 'residency-accesses', version: 1 } as const;
/** How the file begins. */
const FIRST = JSON.stringify(HEADER).slice(0, -1);

/** Where the last whole line ends. */
async function endOfLastLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const start = Math.max(0, size - TAIL_BYTES);
  const tail = Buffer.alloc(size - start);
  await file.read(tail, 0, tail.length, start);
  const at = tail.lastIndexOf('\n');
  if (at >= 0) return start + at + 1;
  // A first line that was torn; anything else is none of ours, and reading says so.
  const text = tail.toString('latin1');
  return FIRST.startsWith(text.slice(0, FIRST.length)) && start === 0 ? 0 : size;
}

function notAJournal(path: string): CliError {
  return new CliError({
    code: 'JOURNAL_UNREADABLE',
    message: `Expected ${printable(path)} to be the journal of \`residency sample get\`, found something else in it; nothing was asked for. Name another --out, or move that file away: then each sample is asked for anew, which is another access.`,
    remedy: 'stop',
  });
}
