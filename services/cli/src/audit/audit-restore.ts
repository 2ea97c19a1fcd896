import { LedgerEntries, checkpointPath, planRestore, restoreAuditLog } from '@residency/auditing';
import type { AuditReading, RestoreOptions, RestorePlan } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import { AUDIT_RESTORE_BEGUN } from '@residency/contracts';
import { defined } from '@residency/defined';
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

/** A partition's ledger, and the comparison of the audit log with it. */
interface Compared {
  readonly entries: LedgerEntries;
  readonly plan: RestorePlan;
}

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
    await requireAllPartitions(ledgers);
    const compared: Compared[] = [];
    for (const partition of ledgers.partitions)
      compared.push(await compare(session, system, ledgers, { partition, dryRun }));
    const wanting = compared.filter(({ plan: { missing, ahead } }) => missing > 0 || ahead);
    if (wanting.length > 0 && !dryRun) await restore(session, system, wanting);
    for (const { plan } of compared) await report(session, options, plan, dryRun);
    if (wanting.some(({ plan: { missing } }) => missing > 0) && !dryRun)
      session.output.note(
        'Consents, policies and samples are not in the ledger. Before routing goes on, restore what is missing of them, then run: residency reconcile.',
      );
    return dryRun && wanting.length > 0 ? EXIT.found : EXIT.done;
  });
}

/** A topic that was made again with fewer partitions would leave the other ledgers out unsaid. */
async function requireAllPartitions({ partitions, store, generation }: Ledgers): Promise<void> {
  const next = Math.max(-1, ...partitions) + 1;
  if ((await store.read(checkpointPath(next, generation))) === undefined) return;
  throw new CliError({
    code: 'PARTITIONS_MISSING',
    remedy: 'stop',
    message: `Expected the audit log to have a partition ${next}, as its ledgers have, found ${partitions.length} partitions; nothing was appended. Make the topic again with as many partitions as the intake log has.`,
  });
}

async function compare(
  session: Session,
  system: System,
  ledgers: Ledgers,
  { partition, dryRun }: { readonly partition: number; readonly dryRun: boolean },
): Promise<Compared> {
  const entries = await entriesOf(ledgers, partition);
  if (entries.unsigned > 0)
    session.output.note(
      `partition ${partition}: ${grouped(entries.unsigned)} further entries are in the ledger's files, but nobody signed them; they are not used.`,
    );
  const log = await reading(system, partition, dryRun);
  const plan = await showing(session, `Comparing partition ${partition}`, (progress) =>
    planRestore(entries, log, progress),
  );
  return { entries, plan };
}

/** A router that was killed may have left a transaction open, which only its fence ends. */
async function reading(system: System, partition: number, dryRun: boolean): Promise<AuditReading> {
  try {
    return await system.auditReading(partition);
  } catch (error) {
    if (dryRun || !hasCode(error, 'AUDIT_UNDECIDED')) throw error;
    await system.restoring(partition, () => Promise.resolve());
    return await system.auditReading(partition);
  }
}

async function restore(
  session: Session,
  system: System,
  wanting: readonly Compared[],
): Promise<void> {
  const missing = wanting.reduce((sum, { plan }) => sum + plan.missing, 0);
  await recorded(
    session,
    system,
    (act) => ({ type: AUDIT_RESTORE_BEGUN, data: { act, entries: missing } }),
    async () => {
      for (const {
        entries,
        plan: { partition },
      } of wanting)
        await system.restoring(partition, async (log) => {
          await showing(session, `Restoring partition ${partition}`, (progress) =>
            restoreAuditLog(entries, log, progress),
          );
        });
    },
  );
}

async function entriesOf(ledgers: Ledgers, partition: number): Promise<LedgerEntries> {
  const { store, kept, generation, keyLost } = ledgers;
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
