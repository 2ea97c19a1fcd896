import { defined } from '@residency/defined';

/** What one check says of a system: a line of `residency doctor`. */
export interface CheckResult {
  /** What was checked, such as `consent view`; several results may be of one check. */
  readonly check: string;
  /** `unknown`: it could not be checked, which is never `ok`. */
  readonly state: 'ok' | 'wrong' | 'unknown';
  readonly found: string;
  /** What to do, if `found` does not say so itself. */
  readonly next?: string;
  /** Of the error behind it. */
  readonly code?: string;
}

export function ok(check: string, found: string, next?: string): CheckResult {
  return { check, state: 'ok', found, ...defined({ next }) };
}

export function wrong(check: string, found: string, next?: string): CheckResult {
  return { check, state: 'wrong', found, ...defined({ next }) };
}

export function unknown(check: string, found: string, next?: string): CheckResult {
  return { check, state: 'unknown', found, ...defined({ next }) };
}

/** Errors that say that nothing was reached. Any other says that what was reached is not right. */
const NOT_REACHED: ReadonlySet<string> = new Set([
  'NO_ANSWER',
  'KAFKA_UNREACHABLE',
  'KAFKA_FAILED',
  'VIEW_NOT_READ',
  'REDIS_UNREACHABLE',
  'REDIS_NOT_READY',
  'SITE_UNREACHABLE',
  'SITE_BUSY',
  'SITE_FAILED',
  'LEDGER_UNREACHABLE',
  'KEYS_UNREACHABLE',
  'LOG_BUSY',
  'LOG_UNAVAILABLE',
  'DATA_DIRECTORY_BUSY',
  'SERVICE_UNREACHABLE',
]);

/** A check that needed something else, which failed and says so itself. */
const NEEDED = 'NEEDED';

/** Of a check that failed with a coded error: `unknown` if nothing was reached, else `wrong`. */
export function failed(
  check: string,
  { code, message }: { code: string; message: string },
): CheckResult {
  if (code === NEEDED) return unknown(check, message);
  return { ...(NOT_REACHED.has(code) ? unknown : wrong)(check, message), code };
}
