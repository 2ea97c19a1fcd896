import { codeOf, hasCode } from '@residency/coded-error';
import { unknown, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

/** Nothing is known of what was asked. Whatever else has a code was reached, and is not as it must be. */
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
]);

/** What a check's failure says. A message that is not ours may repeat what it choked on, so only its kind is told. */
export function explain(check: string, error: unknown): Finding {
  if (hasCode(error, 'NEEDED')) return unknown(check, error.message);
  const code = codeOf(error);
  if (code === undefined || !(error instanceof Error)) {
    return unknown(
      check,
      `a defect (${error instanceof Error ? error.name : typeof error})`,
      'Run it again with RESIDENCY_DEBUG=1 and report it.',
    );
  }
  return { ...(NOT_REACHED.has(code) ? unknown : wrong)(check, error.message), code };
}
