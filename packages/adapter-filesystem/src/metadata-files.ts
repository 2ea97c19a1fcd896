import type { FileHandle } from 'node:fs/promises';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import {
  candidatesOf,
  decodeCandidate,
  isCandidateLine,
  submissionOfLine,
} from './candidate-line.ts';
import type { Candidate } from './candidate-line.ts';
import { ifThere, openRegular } from './durable-files.ts';
import {
  JOURNAL_DIRECTORY,
  earlierMetadataPath,
  metadataPath,
  metadataScopeOf,
} from './site-layout.ts';

// A final file of a large site has a megabyte.
const CONCURRENT_READS = 8;

/** A writer's journal, as far as it was read. */
interface ReadJournal {
  readonly inode: bigint;
  /** The beginning of the last line, which may have been incomplete. */
  readonly read: number;
  readonly size: number;
  /** By submission. Shared by all states of one journal, because lines never change. */
  readonly lines: Map<string, readonly string[]>;
}

/**
 * The metadata in a site's directory. Keeps what it read of the journals, which are small, and
 * nothing of the other files.
 */
export class MetadataFiles {
  readonly #directory: string;
  #journals = new Map<string, ReadJournal>();
  /** Otherwise each of many look-ups at once would read a long journal. */
  readonly #oneAfterTheOther = pLimit(1);
  readonly #few = pLimit(CONCURRENT_READS);

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The metadata of the object with these bytes; `undefined`: no attempt announced them. */
  async find(
    submission: string,
    sealedSha256: string,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    const reads = [
      // First: a line that leaves a journal is in its final file before.
      () => this.#oneAfterTheOther(() => this.#inJournals(submission)),
      () => this.#few(() => this.#inFinalFile(submission)),
      () => this.#inEarlierFile(submission),
    ];
    for (const read of reads) {
      const found = (await read()).find(
        ({ metadata }) => metadata['sealed-sha256'] === sealedSha256,
      );
      if (found !== undefined) return found.metadata;
    }
    return undefined;
  }

  async #inJournals(submission: string): Promise<readonly Candidate[]> {
    const names = (await ifThere(readdir(join(this.#directory, JOURNAL_DIRECTORY)))) ?? [];
    const journals = new Map<string, ReadJournal>();
    for (const name of names) {
      const journal = await this.#journal(name);
      if (journal !== undefined) journals.set(name, journal);
    }
    this.#journals = journals;
    return [...journals.values()]
      .flatMap(({ lines }) => lines.get(submission) ?? [])
      .flatMap((line) => candidatesIn(line, submission));
  }

  /** `undefined`: it is gone meanwhile, or is none. */
  async #journal(name: string): Promise<ReadJournal | undefined> {
    const path = `${JOURNAL_DIRECTORY}/${name}`;
    if (metadataScopeOf(path) === undefined) return undefined;
    const file = await ifThere(openRegular(join(this.#directory, path)));
    if (file === undefined) return undefined;
    try {
      return await readOn(file, this.#journals.get(name));
    } finally {
      await file.close();
    }
  }

  async #inFinalFile(submission: string): Promise<readonly Candidate[]> {
    const file = await ifThere(readFile(join(this.#directory, metadataPath(submission))));
    return file === undefined ? [] : candidatesOf(file, submission);
  }

  async #inEarlierFile(submission: string): Promise<readonly Candidate[]> {
    const text = await ifThere(
      readFile(join(this.#directory, earlierMetadataPath(submission)), 'utf8'),
    );
    return (text ?? '').split('\n').flatMap((line) => candidatesIn(line, submission));
  }
}

function candidatesIn(line: string, submission: string): readonly Candidate[] {
  const candidate = decodeCandidate(line);
  return candidate === undefined || (candidate.submission ?? submission) !== submission
    ? []
    : [candidate];
}

/** Reads what was appended to a journal. It is only ever appended to. */
async function readOn(file: FileHandle, before: ReadJournal | undefined): Promise<ReadJournal> {
  const { ino: inode, size: found } = await file.stat({ bigint: true });
  const size = Number(found);
  const known = before?.inode === inode && size >= before.size ? before : undefined;
  if (known?.size === size) return known;
  const from = known?.read ?? 0;
  const bytes = Buffer.alloc(size - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  const text = bytes.toString('utf8', 0, bytesRead);
  const lines = known?.lines ?? new Map<string, readonly string[]>();
  for (const line of text.split('\n')) {
    const submission = submissionOfLine(line);
    if (submission !== undefined) lines.set(submission, [...(lines.get(submission) ?? []), line]);
  }
  return { inode, read: from + Math.max(0, bytes.lastIndexOf('\n')), size, lines };
}

// Each attempt that a full or failing disk interrupted left a line of some 500 bytes.
const ONE_OBJECT_BYTES = 4 * 1024 * 1024;
const SUBMISSION_LENGTH = 64;
// One piece of a file in memory at a time.
const PIECE_BYTES = 1024 * 1024;

/** True if the file at the path, relative to the site, holds only lines of attempts. */
export async function holdsCandidates(directory: string, path: string): Promise<boolean> {
  const scope = metadataScopeOf(path);
  if (scope === undefined) return false;
  const file = await ifThere(openRegular(join(directory, path)));
  if (file === undefined) return false;
  try {
    if (scope.prefix.length === SUBMISSION_LENGTH && (await file.stat()).size > ONE_OBJECT_BYTES)
      return false;
    let rest = '';
    for await (const piece of file.createReadStream({
      autoClose: false,
      encoding: 'latin1',
      highWaterMark: PIECE_BYTES,
    }) as AsyncIterable<string>) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      if (!lines.every((line) => isCandidateLine(line, scope.prefix)) || rest.length > PIECE_BYTES)
        return false;
    }
    return isCandidateLine(rest, scope.prefix);
  } finally {
    await file.close();
  }
}
