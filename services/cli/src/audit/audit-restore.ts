import { LedgerEntries, planRestore, restoreAuditLog } from '@residency/auditing';
import type { RestoreOptions, RestorePlan } from '@residency/auditing';
import { AUDIT_RESTORE_BEGUN } from '@residency/contracts';
import { defined } from '@residency/defined';
import { keptOf } from '../ledger/ledgers.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import { withSystem } from '../opening/with-system.ts';
import { recorded } from '../system/control.ts';
import type { System } from '../system/system.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { startProgress } from '../terminal/progress.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { grouped } from '../terminal/table.ts';

interface Options extends Common {
  readonly dryRun?: true;
}

/**
 * Appends to each partition of the audit log the entries of its ledger that it lacks. Every
 * partition is compared before anything is appended.
 */
export async function restoreLog(
  session: Session,
  { dryRun: isDryRun, ...options }: Options,
): Promise<ExitCode> {
  const dryRun = isDryRun === true;
  return await withSystem(session, options, async (system) => {
    const ledgers = await system.ledgers();
    if (ledgers.kept === undefined)
      session.output.note(
        'No checkpoint is kept apart here, so a restored older copy of the ledgers cannot be detected.',
      );
    const plans: RestorePlan[] = [];
    for (const partition of ledgers.partitions) {
      const entries = await entriesOf(ledgers, partition);
      const log = await system.auditReading(partition);
      plans.push(
        await showing(session, `Comparing partition ${partition}`, (progress) =>
          planRestore(entries, log, progress),
        ),
      );
    }
    const wanting = plans.filter(({ missing, ahead }) => missing > 0 || ahead);
    if (wanting.length > 0 && !dryRun) await restore(session, system, ledgers, wanting);
    for (const plan of plans) await report(session, options, plan, dryRun);
    if (plans.some(({ missing }) => missing > 0) && !dryRun)
      session.output.note(
        'Consents, policies and samples are not in the ledger. Before routing goes on, restore what is missing of them, then run: residency reconcile.',
      );
    return EXIT.done;
  });
}

async function restore(
  session: Session,
  system: System,
  ledgers: Ledgers,
  plans: readonly RestorePlan[],
): Promise<void> {
  const entries = plans.reduce((sum, { missing }) => sum + missing, 0);
  await recorded(
    session,
    system,
    (act) => ({ type: AUDIT_RESTORE_BEGUN, data: { act, entries } }),
    async () => {
      for (const { partition } of plans)
        await system.restoring(partition, async (log) => {
          const of = await entriesOf(ledgers, partition);
          await showing(session, `Restoring partition ${partition}`, (progress) =>
            restoreAuditLog(of, log, progress),
          );
        });
    },
  );
}

async function entriesOf(ledgers: Ledgers, partition: number): Promise<LedgerEntries> {
  const { store, generation, keyLost } = ledgers;
  // Read first: a checkpoint is kept before it is published.
  const kept = await keptOf(ledgers, partition);
  const keys = await ledgers.verifierKeys(partition);
  const [key] = keys;
  if (key === undefined) throw keyLost ?? keyNeeded();
  return await LedgerEntries.open({
    place: { store, partition, generation, origin: key.name },
    keys,
    ...defined({ kept }),
  });
}

function keyNeeded(): CliError {
  return new CliError({
    code: 'CONFIGURATION_INCOMPLETE',
    remedy: 'stop',
    message:
      "Expected RESIDENCY_LEDGER_KEY_FILE to name the file of the ledgers' key, found nothing: without it nothing says whose entries these are. Run this where the key file is.",
  });
}

async function showing<T>(
  session: Session,
  what: string,
  work: (options: RestoreOptions) => Promise<T>,
): Promise<T> {
  const progress = startProgress(session, what);
  try {
    return await work({
      onProgress: (done, of) => {
        checkInterrupted(session);
        progress.update(done, of);
      },
    });
  } finally {
    progress.stop();
  }
}

async function report(
  { output }: Session,
  { json }: Common,
  { partition, entries, records, missing, ahead, next }: RestorePlan,
  dryRun: boolean,
): Promise<void> {
  if (json) {
    await output.json({
      partition,
      entries,
      records,
      missing,
      restored: dryRun ? 0 : missing,
      next: next === null ? null : String(next),
    });
    return;
  }
  const position = `routing goes on at offset ${String(next ?? 0n)}`;
  const done =
    missing > 0
      ? `${grouped(missing)} entries ${dryRun ? 'are missing' : 'were appended'}, and ${position}`
      : ahead
        ? `no entry is missing, but the committed position ${dryRun ? 'is' : 'was'} ahead of the last event; ${position}`
        : 'nothing is missing';
  await output.line(
    `partition ${partition}: the ledger has ${grouped(entries)} entries, the audit log had ${grouped(records)} records; ${done}.`,
  );
}
