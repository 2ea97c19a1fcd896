import { codeOf } from '@residency/coded-error';
import type { Observed } from '@residency/observation';
import { within } from '@residency/waiting';
import { CliError } from '../terminal/cli-error.ts';

/**
 * Reads one fact. A coded error, or no answer within `withinMs`, makes it unknown, so that the
 * other facts are read all the same. An error without a code is a defect, and is thrown.
 */
export async function observe<T>(withinMs: number, read: () => Promise<T>): Promise<Observed<T>> {
  try {
    return { known: await within({ ms: withinMs, late: () => noAnswer(withinMs) }, read) };
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || code === 'INTERRUPTED' || !(error instanceof Error)) throw error;
    return { unknown: { code, message: error.message } };
  }
}

function noAnswer(withinMs: number): CliError {
  return new CliError({
    code: 'NO_ANSWER',
    message: `Expected an answer within ${withinMs} ms, found none. Check whether the server hangs, and the network.`,
    remedy: 'retry',
  });
}
