import { counted, grouped } from '../table.ts';
import { ok, unknown, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import type { LedgerLook } from './look-at-ledger.ts';
import { secondsText } from './seconds-text.ts';

/** How long an event may be missing in its ledger, beside the time that an auditor lets pass between two checkpoints. */
const PATIENCE_MS = 60_000;

export function ledgerPatienceMs(intervalMs: number): number {
  return PATIENCE_MS + intervalMs;
}

/** `patienceMs`: for how long the audit log has had what a look names as due. */
export function judgeLedgers(looks: readonly LedgerLook[], patienceMs: number): readonly Finding[] {
  const wrongs = looks.flatMap((look) => judgeLedger(look, secondsText(patienceMs)));
  if (wrongs.length > 0) return wrongs;
  const entries = looks.reduce((sum, { size = 0 }) => sum + size, 0);
  const found = `${counted(looks.filter(({ size }) => size !== undefined).length, 'checkpoint')} of ${grouped(entries)} entries, none behind the audit log`;
  // One key signs all of them.
  if (looks.some(({ size, verified }) => size !== undefined && !verified))
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
  { partition, size, last, due, intakeEnd }: LedgerLook,
  patience: string,
): readonly Finding[] {
  const check = `ledger ${partition}`;
  const next = 'See whether an auditor runs and what it waits for (/readyz, its log).';
  if (size === undefined)
    return due === undefined
      ? []
      : [
          wrong(
            check,
            `no checkpoint, and the audit log has events for more than ${patience}`,
            next,
          ),
        ];
  if (last !== undefined && last >= intakeEnd)
    return [
      wrong(
        check,
        `its last event is of offset ${last}, where the intake log ends at ${intakeEnd}`,
        "It is another log's, or the log lost its end: compare the settings, then residency audit fsck.",
      ),
    ];
  if (due !== undefined && (last ?? -1n) < due)
    return [
      wrong(
        check,
        `behind: its last event is of offset ${last ?? 'none'}, the audit log has one of offset ${due} for more than ${patience}`,
        next,
      ),
    ];
  return [];
}
