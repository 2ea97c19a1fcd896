import { ok, unknown, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { Limits } from '../limits.ts';
import { secondsText } from '../seconds-text.ts';
import type { LedgerFacts } from '../snapshot.ts';

const NEXT = 'See whether an auditor runs and what it waits for (/readyz, its log).';

/** Whether each ledger is of this log, signed, and covers what it must by now. */
export function judgeLedgers(
  ledgers: readonly LedgerFacts[],
  limits: Limits,
): readonly CheckResult[] {
  const wrongs = ledgers.flatMap((one) => judgeLedger(one, limits));
  if (wrongs.length > 0) return wrongs;
  const entries = ledgers.reduce((sum, { size = 0 }) => sum + size, 0);
  const checkpoints = ledgers.filter(({ size }) => size !== undefined);
  const found = `${checkpoints.length} checkpoint${checkpoints.length === 1 ? '' : 's'} of ${entries.toLocaleString('en-US')} entries, none behind its log`;
  // One key signs all of them.
  if (checkpoints.some(({ verified }) => !verified))
    return [
      unknown(
        'ledger',
        `${found}; signatures are not verified, because no key is here`,
        "Verify them with the ledgers' verifier keys: residency audit fsck --key.",
      ),
    ];
  return [ok('ledger', found)];
}

function judgeLedger(
  { topic, partition, size, last, due, intakeEnd }: LedgerFacts,
  { ledgerLag }: Limits,
): readonly CheckResult[] {
  const check = `ledger ${topic ?? partition}`;
  const what = topic === undefined ? 'of offset' : 'number';
  if (size !== undefined && last !== undefined && intakeEnd !== undefined && last >= intakeEnd)
    return [
      wrong(
        check,
        `its last event is of offset ${last}, and the intake log ends at ${intakeEnd}`,
        "It is another log's, or the log lost its end: compare the settings, then residency audit fsck.",
      ),
    ];
  if (due === undefined || due.forMs < ledgerLag.seconds * 1_000) return [];
  const patience = secondsText(due.forMs);
  if (size === undefined)
    return [wrong(check, `no checkpoint, and its log has events for more than ${patience}`, NEXT)];
  return (last ?? -1n) < due.offset
    ? [
        wrong(
          check,
          `behind: its last event is ${what} ${last ?? 'none'}, its log has ${what} ${due.offset} for more than ${patience}`,
          NEXT,
        ),
      ]
    : [];
}
