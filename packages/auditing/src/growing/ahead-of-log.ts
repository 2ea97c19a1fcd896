import type { TopicPartition } from '@residency/contracts';
import { AuditingError } from '../auditing-error.ts';
import { logText } from '../logs/log-text.ts';

export function aheadOfLog(of: TopicPartition, expected: string): AuditingError {
  return new AuditingError({
    code: 'LEDGER_AHEAD_OF_LOG',
    remedy: 'stop',
    message: `Expected ${expected} in ${logText(of)}, found otherwise: the log lost records or was replaced, or the ledger is another log's. Keep both, and find out which one is correct.`,
  });
}
