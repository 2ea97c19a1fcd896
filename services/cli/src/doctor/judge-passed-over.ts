import { isPolicyTick, readPolicyRecord } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { ok, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';
import { counted } from '../terminal/table.ts';

const CHECK = 'passed over';

/** By topic, the number of records that do not fit the topic. */
export function judgePassedOver(counts: Readonly<Record<string, number>>): readonly CheckResult[] {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  if (some.length === 0) return [ok(CHECK, `no record of ${Object.keys(counts).join(', ')}`)];
  return some.map(([topic, count]) =>
    wrong(
      CHECK,
      `${counted(count, 'record')} of ${topic}`,
      'They decide nothing. Find out who wrote them, and who else may write there.',
    ),
  );
}

export async function unreadablePolicies(records: AsyncIterable<LogRecord>): Promise<number> {
  let count = 0;
  for await (const record of records)
    if (readPolicyRecord(record) === undefined && !isPolicyTick(record)) count += 1;
  return count;
}
