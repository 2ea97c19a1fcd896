/** The logged parts of an error. */
export interface DescribedError {
  readonly name: string;
  readonly code?: string;
  readonly remedy?: string;
  /**
   * Only of coded errors, whose messages never contain input. The message of any other error may
   * repeat its input.
   */
  readonly message?: string;
  readonly cause?: DescribedError;
}

const MAX_CAUSES = 5;
const WORD = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const REMEDIES = new Set<unknown>(['retry', 'park', 'stop']);

/** Accepts any thrown value. Never throws. */
export function describeError(thrown: unknown, depth = 0): DescribedError {
  if (!(thrown instanceof Error)) return { name: thrown === null ? 'null' : typeof thrown };
  const { code, remedy, cause } = thrown as Error & {
    readonly code?: unknown;
    readonly remedy?: unknown;
  };
  const coded = isWord(code) && REMEDIES.has(remedy);
  return {
    // A name may be any value, so only words are accepted.
    name: isWord(thrown.name) ? thrown.name : 'Error',
    ...(isWord(code) ? { code } : {}),
    ...(coded ? { remedy: String(remedy), message: thrown.message } : {}),
    ...(cause === undefined || depth >= MAX_CAUSES
      ? {}
      : { cause: describeError(cause, depth + 1) }),
  };
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value);
}
