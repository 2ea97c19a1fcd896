import { CodedError } from '@residency/coded-error';

export const PROJECTOR_ERROR_CODES = [
  'CONSENT_LOG_SHORTER',
  'CONSENT_LOG_REPLACED',
  'APPEND_TIME_WENT_BACK',
] as const;
export type ProjectorErrorCode = (typeof PROJECTOR_ERROR_CODES)[number];

export class ProjectorError extends CodedError<ProjectorErrorCode> {}

export function logShorter(position: string, end: bigint): ProjectorError {
  return new ProjectorError({
    code: 'CONSENT_LOG_SHORTER',
    message: `Expected the consent log to reach ${position}, as far as it was projected, found its end at ${end}. It lost records or was made again: restore it; if it was replaced for good, delete the view's position in Redis. Then start again.`,
    remedy: 'stop',
  });
}

export function logReplaced(position: string, was: string, is: string): ProjectorError {
  return new ProjectorError({
    code: 'CONSENT_LOG_REPLACED',
    message: `Expected the consent log to be the topic ${was}, projected up to ${position}, found the topic ${is} under its name: it was deleted and made again. Restore it; if it was replaced for good, delete the view's position in Redis. Then start again (docs/runbooks/ResidencyLogReplaced.md).`,
    remedy: 'stop',
  });
}

export function appendTimeWentBack(
  position: string,
  byMs: number,
  watermark: number,
): ProjectorError {
  return new ProjectorError({
    code: 'APPEND_TIME_WENT_BACK',
    message: `Expected append times of the consent log to agree within the margin, found ${position} to be ${byMs} ms before one ahead of it. The view is halted, and routing waits, until append time has passed ${new Date(watermark).toISOString()} again. Correct the brokers' clocks, then start again.`,
    remedy: 'stop',
  });
}
