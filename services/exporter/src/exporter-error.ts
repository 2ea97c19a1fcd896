import { CodedError } from '@residency/coded-error';

export const EXPORTER_ERROR_CODES = ['SOURCE_LATE', 'SOURCE_FAILED'] as const;
export type ExporterErrorCode = (typeof EXPORTER_ERROR_CODES)[number];

export class ExporterError extends CodedError<ExporterErrorCode> {}

export function sourceLate(source: string, withinMs: number): ExporterError {
  return new ExporterError({
    code: 'SOURCE_LATE',
    remedy: 'retry',
    message: `Expected to have read ${source} within ${withinMs} ms, found it still being read: what is asked does not answer, or there is much to read for the first time. What it would tell is absent until it is read.`,
  });
}

/** A failure that nobody gave a code. */
export function sourceFailed(source: string, cause: unknown): ExporterError {
  return new ExporterError({
    code: 'SOURCE_FAILED',
    remedy: 'retry',
    cause,
    message: `Expected to read ${source}, found an error without a code: a defect. It is tried again; report it.`,
  });
}
