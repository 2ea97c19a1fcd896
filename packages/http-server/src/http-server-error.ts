import { CodedError } from '@residency/coded-error';

/** Reasons why a server does not start. They need a person. */
export const HTTP_SERVER_ERROR_CODES = [
  'PORT_IN_USE',
  'LISTEN_REFUSED',
  'TOKENS_REQUIRED',
  'INVALID_TOKEN',
] as const;
export type HttpServerErrorCode = (typeof HTTP_SERVER_ERROR_CODES)[number];

export class HttpServerError extends CodedError<HttpServerErrorCode> {}
