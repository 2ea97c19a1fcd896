import type { LogRecord } from '@residency/contracts';

/**
 * A record of the audit log, as readers may see it. Everybody with write access to that log
 * controls its value.
 */
export type AuditRecord = Pick<LogRecord, 'partition' | 'offset' | 'value'>;

/**
 * `[from, to)` in T, the append time of the events' intake records. An absent bound does not
 * restrict.
 */
export interface Period {
  readonly from?: number;
  readonly to?: number;
}

export function isWithin(at: number, { from, to }: Period): boolean {
  return (from === undefined || at >= from) && (to === undefined || at < to);
}
