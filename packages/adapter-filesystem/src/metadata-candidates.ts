import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { decodeObjectMetadata, encodeObjectMetadata } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
import { tryReadJson } from '@residency/residency';
import { FILE_MODE, openRegular } from './durable-files.ts';
import { FilesystemError, errnoOf } from './filesystem-error.ts';

/**
 * The metadata that one attempt wrote for the object that it was about to create. It is true of the
 * bytes only if their SHA-256 is its `sealed-sha256`.
 */
export type Candidate = Readonly<Record<string, unknown>>;

/**
 * Appends one attempt's metadata to an object's candidates, durably. Never changes existing lines.
 * The line begins with the newline, so that a line torn by a crash or a full disk cannot swallow
 * the next one.
 */
export async function appendCandidate(
  path: string,
  metadata: ObjectMetadata,
  site: string,
): Promise<void> {
  const line = Buffer.from(`\n${JSON.stringify(encodeObjectMetadata(metadata))}`, 'utf8');
  const file = await open(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT,
    FILE_MODE,
  );
  try {
    // One write(2): with O_APPEND, lines of racing attempts never mix. After a short write the torn
    // line remains.
    const { bytesWritten } = await file.write(line);
    if (bytesWritten < line.length) {
      throw new FilesystemError({
        code: 'SITE_FULL',
        message: `Expected room for an object's metadata in site ${site}, found a write cut short. Free or add disk space; what waits is tried again.`,
        remedy: 'retry',
      });
    }
    // Also makes the name of a new file durable on ext4, XFS and Btrfs (they log it with the
    // inode), hence before the link of the bytes. On other file systems `flush` does.
    await file.sync();
  } finally {
    await file.close();
  }
}

/** All complete lines; empty if there is no file. */
export async function readCandidates(path: string): Promise<readonly Candidate[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => parseCandidate(line));
}

/** The candidate whose digest is that of the bytes. */
export function candidateFor(
  candidates: readonly Candidate[],
  sealedSha256: string,
): Candidate | undefined {
  return candidates.find((candidate) => candidate['sealed-sha256'] === sealedSha256);
}

// Each attempt that a full or failing disk interrupted left a line of some 500 bytes.
const CANDIDATES_BYTES = 4 * 1024 * 1024;
const LINE_BYTES = 1_024;
const LINE_START = '{"position":"';

/** True if a file holds only lines of attempts, complete or torn. */
export async function holdsCandidates(path: string): Promise<boolean> {
  const file = await openRegular(path);
  if (file === undefined) return false;
  try {
    if ((await file.stat()).size > CANDIDATES_BYTES) return false;
    return (await file.readFile('latin1')).split('\n').every((line) => isLine(line));
  } finally {
    await file.close();
  }
}

function isLine(line: string): boolean {
  if (line.length > LINE_BYTES) return false;
  const [candidate] = parseCandidate(line);
  // A torn line: the beginning of a candidate.
  if (candidate === undefined)
    return LINE_START.startsWith(line) || /^\{"position":"[ -~]*$/.test(line);
  try {
    decodeObjectMetadata(candidate);
    return true;
  } catch {
    return false;
  }
}

function parseCandidate(line: string): readonly Candidate[] {
  // Otherwise a torn line: its attempt never linked its bytes.
  const value = tryReadJson(line);
  return isRecord(value) ? [value] : [];
}

function isRecord(value: unknown): value is Candidate {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
