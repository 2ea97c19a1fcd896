import type { LogRecord } from '@residency/contracts';

/** A record of the audit log, as readers may see it. Whoever may write to that log controls its value. */
export type AuditRecord = Pick<LogRecord, 'partition' | 'offset' | 'value'>;

/** `[from, to)` in T, the append time of the records that events are about; what is absent does not restrict. */
export interface Period {
  readonly from?: number;
  readonly to?: number;
}

export function isWithin(at: number, { from, to }: Period): boolean {
  return (from === undefined || at >= from) && (to === undefined || at < to);
}
