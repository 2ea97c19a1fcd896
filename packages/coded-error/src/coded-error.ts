/**
 * What whoever runs the failed step may do about it:
 * `retry` the same step later, `park` this record and go on, or `stop` and call a person.
 */
export type Remedy = 'retry' | 'park' | 'stop';

export interface CodedErrorInit<Code extends string> {
  readonly code: Code;
  /** What was expected, what was found, what to do next. Never a secret, a subject or a sample byte. */
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

/** Narrows by `code`, which survives two copies of a package and worker threads; `instanceof` does not. */
export function hasCode<Code extends string>(
  error: unknown,
  code: Code,
): error is Error & { readonly code: Code } {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The remedy an error carries; an error that carries none is a defect, so `stop`. */
export function remedyOf(error: unknown): Remedy {
  if (
    error instanceof Error &&
    'remedy' in error &&
    (error.remedy === 'retry' || error.remedy === 'park')
  )
    return error.remedy;
  return 'stop';
}

/** The code of an error of ours; `undefined` for any other: Node's own and a vendor's carry no remedy. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error &&
    'remedy' in error &&
    'code' in error &&
    typeof error.code === 'string'
    ? error.code
    : undefined;
}
