import { SqliteLogError } from './sqlite-log-error.ts';

/** An error as it is sent between threads, because cloning loses its class and code. */
export interface WireError {
  readonly coded?: Pick<SqliteLogError, 'code' | 'remedy'>;
  readonly message: string;
}

export function packError(error: unknown): WireError {
  const message = error instanceof Error ? error.message : 'unknown';
  return error instanceof SqliteLogError
    ? { message, coded: { code: error.code, remedy: error.remedy } }
    : { message };
}

/** The inverse of `packError`. An error without a code is a defect. */
export function unpackError({ coded, message }: WireError): Error {
  return coded === undefined
    ? new Error(`The log's worker failed: ${message}`)
    : new SqliteLogError({ ...coded, message });
}
