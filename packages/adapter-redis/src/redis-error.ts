import { CodedError } from '@residency/coded-error';

export const REDIS_ERROR_CODES = [
  'REDIS_SETTINGS',
  'REDIS_UNREACHABLE',
  'REDIS_AUTHENTICATION',
  'REDIS_FORBIDDEN',
  'REDIS_NOT_READY',
  'REDIS_FULL',
  'REDIS_REFUSED',
  'REDIS_CLOSED',
  'EVICTION_POLICY',
  'CONSENT_VIEW_EMPTY',
  'CONSENT_VIEW_FOREIGN',
  'CONSENT_VIEW_BROKEN',
  'CONSENT_VIEW_HALTED',
  'TOO_MANY_CONSENTS',
] as const;
export type RedisErrorCode = (typeof REDIS_ERROR_CODES)[number];

export class RedisError extends CodedError<RedisErrorCode> {}
