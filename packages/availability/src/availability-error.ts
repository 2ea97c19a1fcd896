import { CodedError } from '@residency/coded-error';

export const AVAILABILITY_ERROR_CODES = ['SITE_LEAVES', 'SITE_LEFT_OUT', 'SITE_TOO_SLOW'] as const;

export class AvailabilityError extends CodedError<(typeof AVAILABILITY_ERROR_CODES)[number]> {}
