import type { OperationName } from './operations.ts';
import type { WireError } from './wire-error.ts';

export interface WorkerSettings {
  readonly file: string;
  readonly busyTimeoutMs: number;
  /** The most pages of the database; absent: no limit. */
  readonly maxPages?: number;
}

export interface Request {
  readonly id: number;
  readonly operation: OperationName;
  readonly parameters: readonly unknown[];
}

export type Response =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError };
