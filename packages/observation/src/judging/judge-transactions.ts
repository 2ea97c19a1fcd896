import { formatInstant } from '@residency/residency';
import { ok, unknown, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { Limits } from '../limits.ts';
import type { IntakeFacts } from '../snapshot.ts';

const CHECK = 'transactions';
const NEXT = 'Find its producer, or abort it: docs/runbooks/ResidencyLogUndecided.md.';

/** Whether an open transaction holds up the readers of its topic. */
export function judgeTransactions(
  { at, transactions }: Pick<IntakeFacts, 'at' | 'transactions'>,
  { openTransactionAge }: Limits,
): readonly CheckResult[] {
  const found = transactions.flatMap((one): CheckResult[] => {
    const { topic, partition, offset, since } = one;
    const text = `one has been open at offset ${offset} of partition ${partition} of ${topic} since ${since === undefined ? 'a time that is not known' : formatInstant(since)}: readers wait for it`;
    if (since === undefined) return [unknown(CHECK, text, NEXT)];
    return at - since > openTransactionAge.seconds * 1_000 ? [wrong(CHECK, text, NEXT)] : [];
  });
  return found.length === 0 ? [ok(CHECK, 'none holds up a log')] : found;
}
