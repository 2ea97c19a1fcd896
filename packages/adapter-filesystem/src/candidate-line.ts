import { objectMetadataIn, encodeObjectMetadata } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
import { tryReadJson } from '@residency/residency';

/**
 * The metadata that one attempt wrote for the object that it was about to create. It is true of the
 * bytes only if their SHA-256 is its `sealed-sha256`.
 */
export interface Candidate {
  /** Absent in a file of one object, which version 0.1 wrote: its name is the submission id. */
  readonly submission?: string;
  /** As found, unchecked. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Every line that is written begins with this, and with the submission id. */
const BEGIN = '\n{"submission":"';

/**
 * One attempt's line. It begins with the newline, so that a line torn by a crash or a full disk
 * cannot swallow the next one.
 */
export function encodeCandidate(submission: string, metadata: ObjectMetadata): string {
  return `\n${JSON.stringify({ submission, ...encodeObjectMetadata(metadata) })}`;
}

/** The inverse, without the newline. `undefined`: a torn line, whose attempt never linked its bytes. */
export function decodeCandidate(line: string): Candidate | undefined {
  const value = tryReadJson(line);
  if (!isRecord(value)) return undefined;
  const { submission, ...metadata } = value;
  if (submission === undefined) return { metadata };
  return typeof submission === 'string' ? { submission, metadata } : undefined;
}

/** The submission that a line names, without decoding it: a torn line may name one. */
export function submissionOfLine(line: string): string | undefined {
  return /^\{"submission":"([0-9a-f]{64})"/.exec(line)?.[1];
}

/** The candidates of a submission in a file of many, without decoding the other lines. */
export function candidatesOf(file: Buffer, submission: string): readonly Candidate[] {
  const begin = `${BEGIN}${submission}"`;
  const found: Candidate[] = [];
  for (let at = file.indexOf(begin); at !== -1; at = file.indexOf(begin, at + 1)) {
    const end = file.indexOf('\n', at + 1);
    const line = decodeCandidate(file.toString('utf8', at + 1, end === -1 ? file.length : end));
    if (line !== undefined) found.push(line);
  }
  return found;
}

const LINE_BYTES = 1_152;
// Version 0.1 began with the position.
const LINE_STARTS = ['{"submission":"', '{"position":"'];
const TORN = /^\{"(?:submission|position)":"[ -~]*$/;

/** True if the line is one of an attempt, complete or torn, for a submission with this prefix. */
export function isCandidateLine(line: string, prefix: string): boolean {
  if (line.length > LINE_BYTES) return false;
  const candidate = decodeCandidate(line);
  if (candidate === undefined)
    return LINE_STARTS.some((start) => start.startsWith(line)) || TORN.test(line);
  // In a file of many objects, each line names its own.
  const { submission = prefix } = candidate;
  if (!/^[0-9a-f]{64}$/.test(submission) || !submission.startsWith(prefix)) return false;
  return objectMetadataIn(candidate.metadata) !== undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
