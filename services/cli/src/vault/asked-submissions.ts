import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CliError, usage } from '../terminal/cli-error.ts';
import { linesOf } from '../terminal/lines-of.ts';
import { printable } from '../terminal/output.ts';
import { reason } from '../terminal/reason.ts';

/** A line of a list: a submission, or none, whose number is said. */
export type AskedLine =
  | { readonly submission: string }
  | { readonly submission?: undefined; readonly line: number };

const SUBMISSION = /^[0-9a-f]{64}$/;
const MOST_CHARS = 4_096;
const STDIN = '-';

/**
 * The submissions of a list, one a line, as they come; empty lines are passed over. Throws
 * `FILE_UNREADABLE`, and `USAGE` for what is no text of lines.
 */
export async function* submissionsIn(list: string): AsyncGenerator<AskedLine> {
  let line = 0;
  try {
    for await (const text of linesOf(pieces(list), { mostChars: MOST_CHARS, tooLong })) {
      line += 1;
      const submission = text.trim();
      if (SUBMISSION.test(submission)) yield { submission };
      else if (submission !== '') yield { line };
    }
  } catch (error) {
    throw unreadable(list, error);
  }
}

/** How many lines a list has; `undefined`: it is no file, and can be read only once. */
export async function countLines(list: string): Promise<number | undefined> {
  if (list === STDIN) return undefined;
  try {
    if (!(await stat(list)).isFile()) return undefined;
    let lines = 0;
    let last = '\n';
    for await (const piece of pieces(list)) {
      for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', at + 1)) lines += 1;
      last = piece.at(-1) ?? last;
    }
    return last === '\n' ? lines : lines + 1;
  } catch (error) {
    throw unreadable(list, error);
  }
}

function pieces(list: string): AsyncIterable<string> {
  // Latin 1: what is no submission id need not be text.
  return list === STDIN
    ? process.stdin.setEncoding('latin1')
    : createReadStream(list, { encoding: 'latin1' });
}

function tooLong(): CliError {
  return usage(
    'Expected the list of --from to have one submission a line, found a much longer line; what was done so far stays done. Correct the list.',
  );
}

function unreadable(list: string, cause: unknown): Error {
  if (cause instanceof CliError) return cause;
  return new CliError({
    code: 'FILE_UNREADABLE',
    message: `Expected the list of --from (${printable(list)}) to be a file this user can read, found ${reason(cause)}; correct its name or its permissions.`,
    remedy: 'stop',
    cause,
  });
}
