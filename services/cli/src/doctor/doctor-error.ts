import { CodedError } from '@residency/coded-error';

export const DOCTOR_ERROR_CODES = ['NEEDED', 'NO_ANSWER'] as const;
export type DoctorErrorCode = (typeof DOCTOR_ERROR_CODES)[number];

export class DoctorError extends CodedError<DoctorErrorCode> {}

export function needed(name: string, cause?: unknown): DoctorError {
  return new DoctorError({ code: 'NEEDED', remedy: 'retry', message: `needs ${name}`, cause });
}

export function noAnswer(withinMs: number): DoctorError {
  return new DoctorError({
    code: 'NO_ANSWER',
    remedy: 'retry',
    message: `Expected an answer within ${withinMs} ms, found none; see whether what is asked hangs, and the network.`,
  });
}
