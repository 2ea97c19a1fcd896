import {
  LedgerEntries,
  checkpointPath,
  isRecordLog,
  planCustodyRestore,
  planRestore,
  restoreAuditLog,
  restoreCustodyLog,
} from '@residency/auditing';
import type { AuditRestorePlan, RestoreOptions, RestorePlan } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import { AUDIT_RESTORE_BEGUN, TOPICS, regionOfCustody } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { ledgerName } from '../ledger/ledgers.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import { withSystem } from '../opening/with-system.ts';
import { recorded } from '../system/control.ts';
import type { System } from '../system/system.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { checkRecordLogs } from './ledger-check.ts';
import { startProgress } from '../terminal/progress.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { grouped } from '../terminal/table.ts';

/** A ledger, the comparison of its log with it, and how to append to that log. */
interface Compared {
  readonly entries: LedgerEntries;
  readonly plan: RestorePlan & Partial<Pick<AuditRestorePlan, 'ahead' | 'next'>>;
  readonly restore: (options: RestoreOptions) => Promise<void>;
}

interface Options extends Common {
  readonly dryRun?: true;
}

/**
 * Appends to the audit log and to the custody logs the entries of their ledgers that they lack.
 * Every log is compared before anything is appended.
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
    if (ledgers.logs.every(({ topic }) => regionOfCustody(topic) === undefined))
      session.output.note(
        'No policy is published here, so no region is known, and no custody log is restored. Restore the policy log first if there were any.',
      );
    await requireAllPartitions(ledgers);
    const compared: Compared[] = [];
    for (const of of ledgers.logs.filter(({ topic }) => !isRecordLog(topic)))
      compared.push(await compare(session, system, ledgers, of, dryRun));
    await sayWhatIsLost(session, system);
    const wanting = compared.filter(
      ({ plan: { missing, ahead } }) => missing > 0 || ahead === true,
    );
    if (wanting.length > 0 && !dryRun) await restore(session, system, wanting);
    for (const { plan } of compared) await report(session, options, plan, dryRun);
    if (wanting.some(({ plan: { missing } }) => missing > 0) && !dryRun)
      session.output.note(
        'Policies, consents, control events and samples are not restored: their append times decide, and a record that is appended again gets another one. Before routing goes on, bring back what is missing of them from a backup, then run: residency reconcile.',
      );
    return dryRun && wanting.length > 0 ? EXIT.found : EXIT.done;
  });
}

/** Nothing is appended to the logs in which append time decides. */
async function sayWhatIsLost(session: Session, system: System): Promise<void> {
  const logs = await checkRecordLogs(session, system);
  for (const { code, position } of logs?.differences.list ?? [])
    session.output.note(
      `${code}  ${position}: this log differs from its ledger, and this command does not restore it. Bring it back from a backup; if there is none, nothing is routed or signed until \`residency audit new-ledger --lost events\` begins new ledgers.`,
    );
}

/** A topic that was made again with fewer partitions would leave the other ledgers out unsaid. */
async function requireAllPartitions({ logs, store, generation }: Ledgers): Promise<void> {
  const found = logs.filter(({ topic }) => topic === TOPICS.audit).length;
  const next = { topic: TOPICS.audit, partition: found };
  if ((await store.read(checkpointPath(next, generation))) === undefined) return;
  throw new CliError({
    code: 'PARTITIONS_MISSING',
    remedy: 'stop',
    message: `Expected the audit log to have a partition ${found}, as its ledgers have, found ${found} partitions; nothing was appended. Make the topic again with as many partitions as the intake log has.`,
  });
}

async function compare(
  session: Session,
  system: System,
  ledgers: Ledgers,
  of: TopicPartition,
  dryRun: boolean,
): Promise<Compared> {
  const entries = await entriesOf(ledgers, of);
  const region = regionOfCustody(of.topic);
  if (entries.unsigned > 0)
    session.output.note(
      `${ledgerName(of)}: ${grouped(entries.unsigned)} further entries are in the ledger's files, but nobody signed them; they are not used.${region === undefined ? '' : ' What they say is recorded again, in other bytes, so the auditor will need a new ledger: docs/how-to/restore-the-audit-log.md.'}`,
    );
  const restoring =
    region === undefined ? ofAudit(system, of, entries) : ofCustody(system, region, entries);
  const plan = await showing(session, `Comparing ${ledgerName(of)}`, (progress) =>
    decided(restoring, dryRun, progress),
  );
  return { entries, plan, restore: restoring.restore };
}

/** One log with its ledger. */
interface Restoring extends Pick<Compared, 'restore'> {
  readonly plan: (options: RestoreOptions) => Promise<Compared['plan']>;
  /** Takes the right to append, which ends what its owner left open. */
  readonly fence: () => Promise<void>;
}

function ofAudit(system: System, { partition }: TopicPartition, entries: LedgerEntries): Restoring {
  return {
    plan: async (options) =>
      await planRestore(entries, await system.auditReading(partition), options),
    fence: async () => {
      await system.restoring(partition, () => Promise.resolve());
    },
    restore: async (options) => {
      await system.restoring(partition, (log) => restoreAuditLog(entries, log, options));
    },
  };
}

function ofCustody(system: System, region: string, entries: LedgerEntries): Restoring {
  return {
    plan: async (options) =>
      await planCustodyRestore(entries, await system.custodyReading(region), options),
    fence: async () => {
      await system.restoringCustody(region, () => Promise.resolve());
    },
    restore: async (options) => {
      await system.restoringCustody(region, (log) => restoreCustodyLog(entries, log, options));
    },
  };
}

/** A service that was killed may have left a transaction open, which only its fence ends. */
async function decided(
  { plan, fence }: Restoring,
  dryRun: boolean,
  options: RestoreOptions,
): Promise<Compared['plan']> {
  try {
    return await plan(options);
  } catch (error) {
    if (dryRun || !(hasCode(error, 'AUDIT_UNDECIDED') || hasCode(error, 'CUSTODY_UNDECIDED')))
      throw error;
    await fence();
    return await plan(options);
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
      for (const { plan, restore: append } of wanting)
        await showing(session, `Restoring ${ledgerName(plan.of)}`, append);
    },
  );
}

async function entriesOf(ledgers: Ledgers, of: TopicPartition): Promise<LedgerEntries> {
  const { store, kept, generation, keyLost } = ledgers;
  const keys = await ledgers.verifierKeys(of);
  const [key] = keys;
  if (key === undefined) throw keyLost ?? keyNeeded();
  return await LedgerEntries.open({
    place: { store, of, generation, origin: key.name },
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
  { of, entries, records, missing, ahead, next }: Compared['plan'],
  dryRun: boolean,
): Promise<void> {
  if (json) {
    await output.json({
      topic: of.topic,
      partition: of.partition,
      entries,
      records,
      missing,
      restored: dryRun ? 0 : missing,
      ...(next === undefined ? {} : { next: next === null ? null : String(next) }),
    });
    return;
  }
  const goesOn = next === undefined ? '' : `routing goes on at offset ${String(next ?? 0n)}`;
  const done =
    missing > 0
      ? `${grouped(missing)} entries ${dryRun ? 'are missing' : 'were appended'}${goesOn === '' ? '' : `, and ${goesOn}`}`
      : ahead === true
        ? `no entry is missing, but the committed position ${dryRun ? 'is' : 'was'} ahead of the last event; ${goesOn}`
        : 'nothing is missing';
  await output.line(
    `${ledgerName(of)}: the ledger has ${grouped(entries)} entries, the log had ${grouped(records)} records; ${done}.`,
  );
}
