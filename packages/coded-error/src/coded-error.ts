/**
 * What the caller of a failed step may do: `retry` the same step later, `park` this record and
 * continue, or `stop` and call a person.
 */
export type Remedy = 'retry' | 'park' | 'stop';

export interface CodedErrorInit<Code extends string> {
  readonly code: Code;
  /** The expected, the found, and the next step. Never a secret, a subject or a sample byte. */
  readonly message: string;
  readonly remedy: Remedy;
  readonly cause?: unknown;
}

/** A failure a caller may act on. Each package narrows `Code` to its own literal list. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly remedy: Remedy;

  constructor(init: CodedErrorInit<Code>) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = new.target.name;
    this.code = init.code;
    this.remedy = init.remedy;
  }
}

/**
 * Narrows by `code`, which survives two copies of a package and worker threads; `instanceof` does
 * not.
 */
export function hasCode<Code extends string>(
  error: unknown,
  code: Code,
): error is Error & { readonly code: Code } {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The remedy of an error. An error without one is a defect, so `stop`. */
export function remedyOf(error: unknown): Remedy {
  if (
    error instanceof Error &&
    'remedy' in error &&
    (error.remedy === 'retry' || error.remedy === 'park')
  )
    return error.remedy;
  return 'stop';
}

/**
 * The code of a coded error; `undefined` for any other error: those of Node and of vendors carry no
 * remedy.
 */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error &&
    'remedy' in error &&
    'code' in error &&
    typeof error.code === 'string'
    ? error.code
    : undefined;
}
