import { readBounded } from '../terminal/read-bounded.ts';

const MOST_BYTES = 16 * 1024 * 1024;

/** A body that is no sample; empty if it cannot be read, or is longer than any of ours. */
export async function textOf(response: Response): Promise<string> {
  try {
    return (await readBounded(response, MOST_BYTES, tooLong)).toString('utf8');
  } catch {
    return '';
  }
}

function tooLong(): Error {
  return new RangeError('Expected a shorter answer.');
}
