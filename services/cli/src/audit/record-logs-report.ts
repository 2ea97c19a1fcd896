import type { LedgerComparison } from '@residency/reconciliation';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { counted, grouped } from '../terminal/table.ts';

/** Writes the differences and the size of each log in which append time decides. */
export async function writeRecordLogs(
  { output }: Pick<Session, 'output'>,
  { ledgers, absent, differences }: LedgerComparison,
): Promise<void> {
  for (const { code, position, message } of differences.list)
    await output.line(`${code}  ${printable(position)}  ${message}`);
  if (differences.total > differences.list.length)
    await output.line(`and ${grouped(differences.total - differences.list.length)} more`);
  for (const { topic, records, compared, notYet } of ledgers)
    await output.line(
      `${topic}  ${counted(records, 'record')}; compared with its ledger: ${grouped(compared)}; not in it yet: ${grouped(notYet)}`,
    );
  for (const log of absent)
    output.note(`${log}: it has no ledger that can be read, so it was compared with none.`);
}
