import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { opendir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { decodeCandidate } from './candidate-line.ts';
import { DISK_CALLS, syncFolder } from './disk-calls.ts';
import type { DiskCalls } from './disk-calls.ts';
import { FILE_MODE } from './durable-files.ts';
import { FilesystemError, errnoOf, inSite } from './filesystem-error.ts';
import { holdsCandidates } from './metadata-files.ts';
import { JOURNAL_DIRECTORY, metadataPath } from './site-layout.ts';

export interface JournalDeps {
  readonly directory: string;
  readonly site: string;
  readonly calls: DiskCalls;
  /** Throws if the site's path names another folder now. */
  readonly requireSameFolder: () => void;
  /** The size from which `fold` folds; the default holds 36,000 lines, nine for each final file. */
  readonly foldedAtBytes?: number;
}

interface Group {
  readonly lines: string[];
  /** Resolves once all lines are durable. */
  readonly durable: Promise<void>;
}

const FOLDED_AT_BYTES = 16 * 1024 * 1024;

/**
 * The metadata of one writer's attempts, in a file of its own until it is folded: one write and one
 * sync for all attempts that wait. The file is opened by its path each time, because an open one
 * would keep a disk from being unmounted, and would go on in a folder that was moved away.
 */
export class CandidateJournal {
  readonly #deps: JournalDeps;
  #name = randomUUID();
  readonly #mutex = pLimit(1);
  #next: Group | undefined;
  /** 0: the names that lead to the file may not be durable. */
  #bytes = 0;
  #moves = 0;

  constructor(deps: JournalDeps) {
    this.#deps = deps;
  }

  /** Resolves once the line and the names that lead to it are durable. */
  async append(line: string): Promise<void> {
    this.#next ??= this.#begin();
    this.#next.lines.push(line);
    await this.#next.durable;
  }

  /** Folds the journal if it has grown long. */
  async fold(): Promise<void> {
    await this.#mutex(async () => {
      if (this.#bytes < (this.#deps.foldedAtBytes ?? FOLDED_AT_BYTES)) return;
      await foldJournal(this.#name, this.#deps);
      // Another name, because readers keep what they read of a journal.
      this.#name = randomUUID();
      this.#bytes = 0;
    });
  }

  /** The site is another folder now, perhaps a copy of this one. */
  moved(): void {
    this.#bytes = 0;
    this.#moves += 1;
  }

  #begin(): Group {
    const lines: string[] = [];
    // p-limit begins a job after this turn, so lines are added until then.
    const durable = this.#mutex(async () => {
      this.#next = undefined;
      await this.#write(lines.join(''));
    });
    return { lines, durable };
  }

  async #write(text: string): Promise<void> {
    const { directory, calls, requireSameFolder } = this.#deps;
    const moves = this.#moves;
    requireSameFolder();
    const path = `${JOURNAL_DIRECTORY}/${this.#name}`;
    let before: number;
    try {
      before = await appendText(path, text, this.#deps);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      calls.mkdir(join(directory, JOURNAL_DIRECTORY));
      before = await appendText(path, text, this.#deps);
    }
    // It is new after a fold, and in a copy of the site. Also after a failure in the steps below.
    if (before === 0 || this.#bytes === 0) {
      await syncFolder(join(directory, JOURNAL_DIRECTORY), calls);
      await syncFolder(join(directory, 'metadata'), calls);
    }
    this.#bytes = moves === this.#moves ? before + text.length : 0;
  }
}

/** Appends in one write(2), and makes the content durable. Returns the file's size before. */
async function appendText(
  path: string,
  text: string,
  { directory, site, calls }: JournalDeps,
): Promise<number> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const file = calls.open(
    join(directory, path),
    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW,
    FILE_MODE,
  );
  try {
    const before = calls.size(file);
    const bytes = Buffer.from(text, 'utf8');
    // With O_APPEND, lines of racing writers never mix. After a short write a torn line remains.
    if ((await calls.write(file, bytes)) < bytes.length)
      throw new FilesystemError({
        code: 'SITE_FULL',
        message: `Expected room for objects' metadata in site ${site}, found a write cut short. Free or add disk space; what waits is tried again.`,
        remedy: 'retry',
      });
    await calls.sync(file);
    return before;
  } finally {
    calls.close(file);
  }
}

/**
 * Moves the lines of journals that no process appends to into their final files. Only for the holder
 * of the routing lock. Returns the number of journals.
 */
export async function foldJournals(
  directory: string,
  site: string,
  calls: DiskCalls = DISK_CALLS,
): Promise<number> {
  return await inSite(site, async () => {
    const deps = { directory, site, calls, requireSameFolder: () => undefined };
    let folded = 0;
    for (const name of await journalNames(directory)) {
      await foldJournal(name, deps);
      folded += 1;
    }
    return folded;
  });
}

async function journalNames(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(join(directory, JOURNAL_DIRECTORY))) {
      // What is none stays, and the reconciler names it.
      if (await holdsCandidates(directory, `${JOURNAL_DIRECTORY}/${entry.name}`))
        names.push(entry.name);
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  return names;
}

// More have no effect, because the thread pool is smaller.
const CONCURRENT_APPENDS = 32;

/**
 * Appends each line to its final file, and removes the journal once all of them are durable. A crash
 * in between leaves both: a line that occurs twice means what it means once.
 */
async function foldJournal(name: string, deps: JournalDeps): Promise<void> {
  const { directory, calls, requireSameFolder } = deps;
  const journal = join(directory, JOURNAL_DIRECTORY, name);
  const byPath = await linesByPath(journal);
  if (byPath === undefined) return;
  const folders = [...new Set([...byPath.keys()].map((path) => dirname(path)))];
  for (const folder of folders) calls.mkdir(join(directory, folder));
  const limit = pLimit(CONCURRENT_APPENDS);
  await limit.map(byPath, ([path, lines]) => appendText(path, lines.join(''), deps));
  // Whoever made a file or a folder may have been killed before its name was durable.
  await limit.map([...folders, 'metadata'], (folder) => syncFolder(join(directory, folder), calls));
  requireSameFolder();
  calls.unlink(journal);
}

/** `undefined`: there is no such journal. Torn lines are left out. */
async function linesByPath(journal: string): Promise<Map<string, string[]> | undefined> {
  let text: string;
  try {
    text = await readFile(journal, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const byPath = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const submission = decodeCandidate(line)?.submission;
    if (submission === undefined || !/^[0-9a-f]{64}$/.test(submission)) continue;
    const path = metadataPath(submission);
    byPath.set(path, [...(byPath.get(path) ?? []), `\n${line}`]);
  }
  return byPath;
}
