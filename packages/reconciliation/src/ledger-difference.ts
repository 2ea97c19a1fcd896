import type { LogRecord, TopicPartition } from '@residency/contracts';

export const LEDGER_DIFFERENCE_CODES = [
  'LEDGER_LEAF_DIFFERS',
  'LEDGER_RECORD_MISSING',
  'LEDGER_RECORD_ADDED',
  'LEDGER_DIVERGES',
  'LEDGER_AHEAD',
  'LEDGER_DAMAGED',
  'LEDGER_ROLLED_BACK',
  'LEDGER_KEY_LOST',
  'REPEATED_KEY',
] as const;
export type LedgerDifferenceCode = (typeof LEDGER_DIFFERENCE_CODES)[number];

/**
 * A difference between a ledger and its log. `position`: of the intake record that the event is
 * about; if there is none, of the record or its partition. `message` repeats no value from outside.
 */
export interface LedgerDifference {
  readonly code: LedgerDifferenceCode;
  readonly position: string;
  readonly message: string;
}

export type ReportDifference = (difference: LedgerDifference) => void;

export function nameOf({ topic, partition }: Pick<LogRecord, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`;
}

export function ofLedger(
  of: TopicPartition,
  code: LedgerDifferenceCode,
  message: string,
): LedgerDifference {
  return { code, position: nameOf(of), message };
}
