import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { decodeObjectMetadata, encodeObjectMetadata } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
import { FILE_MODE, openRegular } from './durable-files.ts';
import { FilesystemError, errnoOf } from './filesystem-error.ts';

/** One attempt's claim about the object it was about to create; true only of bytes whose SHA-256 is its `sealed-sha256`. */
export type Candidate = Readonly<Record<string, unknown>>;

/**
 * Adds one attempt's metadata to an object's candidates, durably; never changes those that stand there.
 * The line begins with the newline: a line torn by a crash or a full disk can then not swallow the next one.
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
    // One write(2): with O_APPEND lines of racing attempts never mix. A short write is left as it is, a torn line.
    const { bytesWritten } = await file.write(line);
    if (bytesWritten < line.length) {
      throw new FilesystemError({
        code: 'SITE_FULL',
        message: `Expected room for an object's metadata in site ${site}, found a write cut short. Free or add disk space; what waits is tried again.`,
        remedy: 'retry',
      });
    }
    // Also makes the name of a new file durable on ext4, XFS and Btrfs (they log it with the inode), and so before the bytes' link; elsewhere `flush` does.
    await file.sync();
  } finally {
    await file.close();
  }
}

/** All whole lines; none where there is no file. */
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

/** The candidate that speaks of the bytes with this digest. */
export function candidateFor(
  candidates: readonly Candidate[],
  sealedSha256: string,
): Candidate | undefined {
  return candidates.find((candidate) => candidate['sealed-sha256'] === sealedSha256);
}

// Each attempt that a full or failing disk cut short left a line of some 500 bytes.
const CANDIDATES_BYTES = 4 * 1024 * 1024;
const LINE_BYTES = 1_024;
const LINE_START = '{"position":"';

/** Whether a file holds lines as attempts leave them, whole or torn, and nothing else. */
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
  // Torn: the beginning of what an attempt writes.
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
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? [value] : [];
  } catch {
    // A torn line: its attempt never came to link its bytes.
    return [];
  }
}

function isRecord(value: unknown): value is Candidate {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
