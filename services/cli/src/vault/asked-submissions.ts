import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CliError, usage } from '../terminal/cli-error.ts';
import { isSubmission } from '../terminal/command.ts';
import { linesOf } from '../terminal/lines-of.ts';
import { unreadable } from '../terminal/read-named.ts';

/** A line of a list: a submission, or none, whose number is said. */
export type AskedLine =
  | { readonly submission: string }
  | { readonly submission?: undefined; readonly line: number };

const WHAT = 'the list of --from';
const LIMIT = { mostChars: 4_096, tooLong };
const STDIN = '-';

/**
 * The submissions of a list, one a line, as they come; empty lines are passed over. Throws
 * `FILE_UNREADABLE`, and `USAGE` for what is no text of lines.
 */
export async function* submissionsIn(list: string): AsyncGenerator<AskedLine> {
  let line = 0;
  for await (const text of linesIn(list)) {
    line += 1;
    const submission = text.trim();
    if (isSubmission(submission)) yield { submission };
    else if (submission !== '') yield { line };
  }
}

/** How many lines a list has; `undefined`: it is no file, and can be read only once. Throws as `submissionsIn`. */
export async function countLines(list: string): Promise<number | undefined> {
  if (list === STDIN || !(await isFile(list))) return undefined;
  let lines = 0;
  for await (const _ of linesIn(list)) lines += 1;
  return lines;
}

async function isFile(list: string): Promise<boolean> {
  try {
    return (await stat(list)).isFile();
  } catch (error) {
    throw unreadable(list, WHAT, error);
  }
}

async function* linesIn(list: string): AsyncGenerator<string> {
  // Latin 1: what is no submission id need not be text.
  const pieces =
    list === STDIN
      ? process.stdin.setEncoding('latin1')
      : createReadStream(list, { encoding: 'latin1' });
  try {
    yield* linesOf(pieces, LIMIT);
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(list, WHAT, error);
  }
}

function tooLong(): CliError {
  return usage(
    'Expected the list of --from to have one submission a line, found a much longer line; what was done so far stays done. Correct the list.',
  );
}
