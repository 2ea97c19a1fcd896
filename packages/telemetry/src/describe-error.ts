/** All that is logged of an error. */
export interface DescribedError {
  readonly name: string;
  readonly code?: string;
  readonly remedy?: string;
  /** Of coded errors only: their messages are written to hold no input. Anybody else's may repeat what it choked on. */
  readonly message?: string;
  readonly cause?: DescribedError;
}

const MAX_CAUSES = 5;
const WORD = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const REMEDIES = new Set<unknown>(['retry', 'park', 'stop']);

/** Anything may have been thrown; never throws itself. */
export function describeError(thrown: unknown, depth = 0): DescribedError {
  if (!(thrown instanceof Error)) return { name: thrown === null ? 'null' : typeof thrown };
  const { code, remedy, cause } = thrown as Error & {
    readonly code?: unknown;
    readonly remedy?: unknown;
  };
  const coded = isWord(code) && REMEDIES.has(remedy);
  return {
    // A name can be set to anything, so only words pass.
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
