import type { CodedErrorInit } from '@residency/coded-error';
import { S3Error } from './s3-error.ts';
import { ForeignAnswer } from './store-answer.ts';

type FailureCode =
  | 'SITE_UNREACHABLE'
  | 'SITE_REFUSED'
  | 'SITE_MISSING'
  | 'SITE_BUSY'
  | 'SITE_FULL'
  | 'SITE_FAILED';

const NEXT: Readonly<Record<FailureCode, string>> = {
  SITE_UNREACHABLE: 'See whether its endpoint is up and can be reached from here',
  SITE_REFUSED:
    'Check that its credentials are valid and may create and head (a reader: list and get; a custodian: list, get and put), and that its AWS region is right. AWS also answers so for a missing object if the credentials may not list',
  SITE_MISSING:
    'See whether its bucket exists and its settings name it; a bucket is never made here',
  SITE_BUSY: 'Lower the load on it, or raise its limits, if this lasts',
  SITE_FULL: 'Free or add room',
  SITE_FAILED:
    'See what its own log says; whether it supports create-only writes (If-None-Match: *); whether checksums should be WHEN_REQUIRED',
};

/**
 * By the store's error code or the SDK's error name. Any other failure is judged by its HTTP
 * status.
 */
const CODES: Readonly<Record<string, FailureCode>> = {
  NoSuchBucket: 'SITE_MISSING',
  AccessDenied: 'SITE_REFUSED',
  AccountProblem: 'SITE_REFUSED',
  AllAccessDisabled: 'SITE_REFUSED',
  AuthorizationHeaderMalformed: 'SITE_REFUSED',
  CredentialsProviderError: 'SITE_REFUSED',
  ExpiredToken: 'SITE_REFUSED',
  ExpiredTokenException: 'SITE_REFUSED',
  TokenRefreshRequired: 'SITE_REFUSED',
  InvalidAccessKeyId: 'SITE_REFUSED',
  InvalidToken: 'SITE_REFUSED',
  PermanentRedirect: 'SITE_REFUSED',
  RequestTimeTooSkewed: 'SITE_REFUSED',
  SignatureDoesNotMatch: 'SITE_REFUSED',
  TemporaryRedirect: 'SITE_REFUSED',
  RequestLimitExceeded: 'SITE_BUSY',
  ServiceUnavailable: 'SITE_BUSY',
  SlowDown: 'SITE_BUSY',
  Throttling: 'SITE_BUSY',
  TooManyRequests: 'SITE_BUSY',
  InsufficientStorage: 'SITE_FULL',
  QuotaExceeded: 'SITE_FULL',
  XMinioStorageFull: 'SITE_FULL',
  BadDigest: 'SITE_FAILED',
  EntityTooLarge: 'SITE_FAILED',
  InternalError: 'SITE_FAILED',
  InvalidArgument: 'SITE_FAILED',
  InvalidRequest: 'SITE_FAILED',
  MetadataTooLarge: 'SITE_FAILED',
  MethodNotAllowed: 'SITE_FAILED',
  NotImplemented: 'SITE_FAILED',
  XAmzContentSHA256Mismatch: 'SITE_FAILED',
  AbortError: 'SITE_UNREACHABLE',
  RequestTimeout: 'SITE_UNREACHABLE',
  TimeoutError: 'SITE_UNREACHABLE',
};

/** Of a session that is over, or of a key that was replaced. */
export const OLD_CREDENTIALS: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'TokenRefreshRequired',
  'InvalidAccessKeyId',
]);
/** What may pass by itself: a bucket that is missing, a conflict, and load. */
const PASSING_STATUS = new Set([404, 408, 409, 429]);
const PASSING = new Set([...OLD_CREDENTIALS, 'RequestTimeTooSkewed', 'RequestTimeout']);

/** The store refuses the request itself, and will the next time. */
export class RequestRefused extends S3Error {
  /** The status, and the store's code if it is known. */
  readonly found: string;

  constructor(site: string, code: FailureCode, found: string) {
    super(initOf(site, code, found));
    this.found = found;
  }
}

/**
 * Maps a failed call to a site to an error with remedy `retry`. Repeats only the status and names
 * from the list above or from Node. The caught error does not become the cause: the store controls
 * its text, and the SDK attaches request and answer.
 */
export function siteFailure(site: string, caught: unknown): S3Error {
  if (caught instanceof S3Error) return caught;
  if (caught instanceof ForeignAnswer)
    return failure(site, 'SITE_FAILED', "an answer that is not an object store's");
  const status = statusOf(caught);
  const name = nameOf(caught);
  const code = name === undefined ? codeOfStatus(status) : (CODES[name] ?? codeOfStatus(status));
  const found = foundText(status, name, caught);
  return isRefused(status, name)
    ? new RequestRefused(site, code, found)
    : failure(site, code, found);
}

export function failure(site: string, code: FailureCode, found: string): S3Error {
  return new S3Error(initOf(site, code, found));
}

function initOf(site: string, code: FailureCode, found: string): CodedErrorInit<FailureCode> {
  return {
    code,
    message: `Expected site ${site} to carry out a request, found ${found}. ${NEXT[code]}; what waits is tried again.`,
    remedy: 'retry',
  };
}

function isRefused(status: number | undefined, name: string | undefined): boolean {
  if (status === undefined || status < 400 || status > 499 || PASSING_STATUS.has(status))
    return false;
  return name === undefined || !PASSING.has(name);
}

/** The status of the store's answer; `undefined` where there was none. */
export function statusOf(caught: unknown): number | undefined {
  const metadata = memberOf(caught, '$metadata');
  const status = memberOf(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}

/** The store's code or the SDK's name for the failure, if it is one this package knows. */
export function nameOf(caught: unknown): string | undefined {
  const name = memberOf(caught, 'name');
  return typeof name === 'string' && (Object.hasOwn(CODES, name) || name === 'NoSuchKey')
    ? name
    : undefined;
}

function codeOfStatus(status: number | undefined): FailureCode {
  if (status === undefined) return 'SITE_UNREACHABLE';
  if (status === 404) return 'SITE_MISSING';
  if (status === 429 || status === 503) return 'SITE_BUSY';
  if (status === 507) return 'SITE_FULL';
  // A redirect names another AWS region or endpoint: a bucket that is elsewhere is not entered.
  if (status === 401 || status === 403 || (status >= 300 && status < 400)) return 'SITE_REFUSED';
  return 'SITE_FAILED';
}

function foundText(status: number | undefined, name: string | undefined, caught: unknown): string {
  if (status !== undefined) return name === undefined ? `HTTP ${status}` : `HTTP ${status} ${name}`;
  const errno = memberOf(caught, 'code');
  // Without an answer only Node can have named it: ECONNREFUSED, CERT_HAS_EXPIRED.
  if (typeof errno === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(errno)) return errno;
  return name === undefined || name === 'AbortError' ? 'no answer in time' : name;
}

export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
