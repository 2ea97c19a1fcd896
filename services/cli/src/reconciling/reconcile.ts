import { randomUUID } from 'node:crypto';
import { codeOf } from '@residency/coded-error';
import {
  NO_ERASURES,
  RECONCILE_OPEN_BEGUN,
  ServiceHistory,
  awaitedSites,
  sitesOut,
} from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import {
  REPAIR_MODES,
  RETENTION_MODES,
  PolicyBook,
  RepairableCopies,
  Retention,
  orderRepairs,
  reconcile,
} from '@residency/reconciliation';
import type {
  OpenSealed,
  OverdueSamples,
  ReconcileDeps,
  ReconciliationReport,
  RepairMode,
  RetentionMode,
  SiteReader,
  SiteRepair,
} from '@residency/reconciliation';
import { formatInstant } from '@residency/residency';
import { PemUnwrapper, openSealed, readSealedHeader } from '@residency/sealing';
import type { KeyUnwrapper } from '@residency/sealing';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { checkLedgers } from '../audit/ledger-check.ts';
import type { LedgerCheck } from '../audit/ledger-check.ts';
import { notChecked } from './not-checked.ts';
import { interruptible as cancellable } from '../terminal/interruptible.ts';
import { printable } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { recorded } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import { newSalt } from '../system/salt.ts';
import type { System } from '../system/system.ts';
import { grouped, table } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';
import { refuseExisting, writeNewFile } from '../terminal/write-new-file.ts';

type Options = Common & {
  readonly open?: true;
  readonly allowAlsoIn?: true;
  readonly report?: string;
};

export async function reconcileAll(session: Session, options: Options): Promise<ExitCode> {
  return await withSystem(session, options, (system) => run(session, options, system));
}

async function run(
  session: Session,
  { open, json, report: file, allowAlsoIn, config }: Options,
  system: System,
): Promise<ExitCode> {
  if (file !== undefined) await refuseExisting(file, '--report');
  const modes = {
    repair: modeOf(session, config, 'RESIDENCY_REPAIR', REPAIR_MODES),
    retention: modeOf(session, config, 'RESIDENCY_RETENTION', RETENTION_MODES),
  };
  const policies = await PolicyBook.open(() => system.policies());
  const compare = (): ReturnType<typeof compareSites> =>
    compareSites(session, system, { open: open === true, policies, modes });
  const { report, ...found } = await (open === true
    ? recorded(
        session,
        system,
        (act) => ({
          type: RECONCILE_OPEN_BEGUN,
          data: { act, regions: [...policies.regions.keys()] },
        }),
        compare,
      )
    : compare());
  const ledger = withLostKey(await checkLedgers(session, system));
  await (json
    ? writeJson(session, report, ledger, found)
    : writeText(session, report, ledger, found));
  if (file !== undefined)
    await writeNewFile(
      file,
      Buffer.from(reportOf(session, report, ledger, open === true)),
      '--report',
    );
  if (report.alsoIn.total > 0) session.output.note(ALSO_IN);
  const counted =
    report.differences.total +
    ledger.differences.total +
    (allowAlsoIn === true ? 0 : report.alsoIn.total);
  return counted > 0 ? EXIT.found : EXIT.done;
}

interface Modes {
  readonly repair: RepairMode;
  readonly retention: RetentionMode;
}

/** What a run found besides differences. */
interface Found {
  readonly repairs: readonly SiteRepair[];
  readonly overdue: readonly OverdueSamples[];
}

/**
 * On a cluster the reconciler service orders repairs and erasures. Throws `USAGE` for a mode that is
 * none.
 */
function modeOf<Mode extends string>(
  { env }: Session,
  config: string | undefined,
  variable: string,
  modes: readonly Mode[],
): Mode | 'propose' {
  const named = env[variable] ?? 'propose';
  const mode = modes.find((one) => one === named);
  if (mode === undefined)
    throw usage(
      `Expected ${variable} to be auto or propose, found something else; nothing was compared. Correct it.`,
    );
  return config === undefined ? mode : 'propose';
}

/** A ledger whose key is lost counts as a difference. */
function withLostKey(ledger: LedgerCheck): LedgerCheck {
  const { keyLost, differences } = ledger;
  if (keyLost === undefined) return ledger;
  const lost = {
    code: 'LEDGER_KEY_LOST',
    position: 'residency.audit',
    message: keyLost.message,
  } as const;
  return {
    ...ledger,
    differences: { total: differences.total + 1, list: [lost, ...differences.list] },
  };
}

/** The instruction for a person: the system cannot know which country was meant. */
const ALSO_IN = [
  'ALSO_IN: one submission was sent with countries of different regions and is stored in each. Both placements followed the policy; one country was wrong, or changed.',
  "See its events with `residency audit list --submission ID --json`, ask the publisher which country was meant, and have the other region's object deleted by a person who may delete there: docs/how-to/two-regions.md.",
  '--allow-also-in ends with 0 once that was looked at.',
].join('\n');

async function compareSites(
  session: Session,
  system: System,
  {
    open,
    policies,
    modes,
  }: { readonly open: boolean; readonly policies: PolicyBook; readonly modes: Modes },
): Promise<Found & { readonly report: ReconciliationReport }> {
  const progress = startProgress(session, 'Comparing objects');
  const repairable = new RepairableCopies();
  try {
    const control = await controlOf(system);
    const out = sitesOut(control);
    for (const site of awaitedSites(control))
      session.output.note(
        `${site} is out of service (residency site out): nothing in it was compared.`,
      );
    const retention = await beginRetention(system, policies, modes.retention);
    const report = await reconcile(await depsOf(session, system, { open, policies, out }), {
      unreachable: out,
      onProgress: (done, total) => {
        progress.update(done, total);
      },
      onDifference: (difference) => {
        repairable.add(difference);
      },
      onStored: (event, isGone) => retention.follow(event, isGone),
    });
    return {
      report,
      overdue: await overdueOf(session, retention),
      repairs: await repairsOf(session, system, repairable, { policies, mode: modes.repair }),
    };
  } finally {
    progress.stop();
  }
}

async function beginRetention(
  system: System,
  policies: PolicyBook,
  mode: RetentionMode,
): Promise<Retention> {
  return await Retention.begin({
    mode,
    policies,
    now: () => system.retentionTime(),
    erasures: async () => (await controlOf(system)).erasures ?? NO_ERASURES,
    append: (entries) => system.append(entries),
    act: randomUUID,
    salt: newSalt,
  });
}

/** The comparison is told also if nothing can be ordered. */
async function overdueOf(
  session: Session,
  retention: Retention,
): Promise<readonly OverdueSamples[]> {
  try {
    return await retention.end();
  } catch (error) {
    if (codeOf(error) === undefined || !(error instanceof Error)) throw error;
    session.output.note(
      `Not all erasures of samples past their time were ordered; \`residency audit erasures\` lists those that were: ${error.message} (${String(codeOf(error))})`,
    );
    return retention.found;
  }
}

/** The same. */
async function repairsOf(
  session: Session,
  system: System,
  repairable: RepairableCopies,
  { policies, mode }: { readonly policies: PolicyBook; readonly mode: RepairMode },
): Promise<readonly SiteRepair[]> {
  const logs = {
    control: () => cancellable(session, system.controlLog()),
    custody: () => cancellable(session, system.trail(() => policies.regions.keys()).custody()),
    append: (entries: readonly LogEntry[]) => system.append(entries),
  };
  const options = { regions: policies.regions, act: randomUUID, salt: newSalt };
  try {
    return await orderRepairs(repairable, logs, { ...options, mode });
  } catch (error) {
    if (mode === 'propose' || codeOf(error) === undefined || !(error instanceof Error)) throw error;
    session.output.note(
      `No repair was ordered, or it is not known whether one was; \`residency site repairs\` lists them: ${error.message} (${String(codeOf(error))})`,
    );
    return await orderRepairs(repairable, logs, { ...options, mode: 'propose' });
  }
}

async function depsOf(
  session: Session,
  system: System,
  {
    open,
    policies,
    out,
  }: {
    readonly open: boolean;
    readonly policies: PolicyBook;
    readonly out: ReadonlySet<string>;
  },
): Promise<ReconcileDeps> {
  const { readers, foreign } = await system.comparedSites(policies.regions, out);
  return {
    sites: readers.map((reader) => interruptible(session, reader)),
    foreignSites: foreign,
    trail: system.trail(() => policies.regions.keys()),
    ...policies.questions(),
    services: () => ServiceHistory.read(system.controlLog()),
    erasures: async () => (await controlOf(system)).erasures ?? NO_ERASURES,
    losses: async () => (await controlOf(system)).losses ?? [],
    readHeader: readSealedHeader,
    ...(open ? { open: opener(system) } : {}),
  };
}

function interruptible(session: Session, reader: SiteReader): SiteReader {
  return {
    site: reader.site,
    async *list(prefix) {
      for await (const entry of reader.list(prefix)) {
        checkInterrupted(session);
        yield entry;
      }
    },
    read: async (key) => {
      checkInterrupted(session);
      return await reader.read(key);
    },
  };
}

/** Opens samples with their regions' private keys. */
function opener(system: System): OpenSealed {
  const keys = system.keys();
  const unwrappers = new Map<string, KeyUnwrapper>();
  return async (message, region) => {
    const unwrapper = unwrappers.get(region) ?? new PemUnwrapper(keys, region);
    unwrappers.set(region, unwrapper);
    return await openSealed(message, region, unwrapper);
  };
}

/** The report as an object, for keeping. */
function reportOf(
  { now }: Session,
  { alsoIn, differences, ...counts }: ReconciliationReport,
  ledger: LedgerCheck,
  opened: boolean,
): string {
  const { digest, partitions, ledgers, differences: ofLedgers } = ledger;
  return `${JSON.stringify(
    {
      at: formatInstant(now()),
      counts: { ...counts, alsoIn: alsoIn.total, differences: differences.total + ofLedgers.total },
      differences: [...differences.list, ...ofLedgers.list],
      alsoIn: alsoIn.list,
      digests: { replay: digest, partitions, ledgers },
      notChecked: notChecked({ ...counts, alsoIn, differences }, ledger, { opened }),
    },
    undefined,
    2,
  )}\n`;
}

async function writeJson(
  { output }: Session,
  { alsoIn, differences, ...counts }: ReconciliationReport,
  ledger: LedgerCheck,
  { repairs, overdue }: Found,
): Promise<void> {
  for (const difference of [...differences.list, ...ledger.differences.list])
    await output.json(difference);
  for (const note of alsoIn.list) await output.json({ code: 'ALSO_IN', ...note });
  const { ledgers, absent, unsigned, digest } = ledger;
  await output.json({
    ...counts,
    alsoIn: alsoIn.total,
    differences: differences.total + ledger.differences.total,
    byCode: differences.byCode,
    ...(repairs.length > 0 ? { repairs } : {}),
    ...(overdue.length > 0 ? { overdue } : {}),
    digest,
    ledgers,
    ledgersAbsent: absent,
    ledgersUnsigned: unsigned,
  });
}

async function writeText(
  { output }: Session,
  { alsoIn, differences, events, ...counts }: ReconciliationReport,
  ledger: LedgerCheck,
  { repairs, overdue }: Found,
): Promise<void> {
  await output.lines(
    table(
      ['', 'count'],
      [
        ['audit events: stored', events.stored],
        ['audit events: duplicate', events.duplicate],
        ['audit events: refused', events.refused],
        ['audit events: quarantined', events.quarantined],
        ['objects in the sites', counts.objects],
        ['stored events checked in every site', counts.storedChecked],
        ['objects in flight', counts.inFlight],
        ['objects opened', counts.opened],
        ['samples given up', counts.lost],
        ['copies that sites do not have yet', counts.owed.total],
        ...Object.entries(counts.owed.bySite).map(
          ([site, copies]) => [`  of them ${site}`, copies] as const,
        ),
        ...overdue.map(
          (one) =>
            [
              `samples of ${one.region} stored for longer than ${one.keepDays} days`,
              one.overdue,
            ] as const,
        ),
        ['leaves of ledgers compared', sum(ledger.ledgers.map(({ compared }) => compared))],
        ['events no ledger has yet', sum(ledger.ledgers.map(({ notYet }) => notYet))],
        ['submissions also in another region', alsoIn.total],
        ['differences', differences.total + ledger.differences.total],
      ],
    ),
  );
  if (ledger.unasked !== undefined) output.note(`No ledger was compared: ${ledger.unasked}.`);
  else if (ledger.absent.length > 0)
    output.note(
      `No ledger was compared for the events of ${ledger.absent.join(', ')}: it has no checkpoint that can be read.`,
    );
  for (const { code, position, message } of ledger.differences.list)
    await output.line(`${code}  ${printable(position)}  ${message}`);
  for (const { submission, position, region } of alsoIn.list)
    await output.line(`ALSO_IN  ${region}  ${submission}  ${position}`);
  for (const { code, message, site, key, position, submission } of differences.list) {
    const where = [site, key ?? submission, position]
      .filter((part) => part !== undefined)
      .map(printable)
      .join('  ');
    await output.line(`${code}  ${where}  ${message}`);
  }
  const hidden =
    differences.total -
    differences.list.length +
    ledger.differences.total -
    ledger.differences.list.length;
  if (hidden > 0) await output.line(`and ${grouped(hidden)} more`);
  for (const { site, state } of repairs)
    await output.line(
      state === 'proposed'
        ? `To make anew what ${printable(site)} lacks: residency site repair ${printable(site)}`
        : `The repair of ${printable(site)} ${state === 'ordered' ? 'was ordered' : 'is ordered already'}; \`residency site repairs\` shows it.`,
    );
  for (const { region, ordered, unordered } of overdue) {
    if (ordered > 0)
      await output.line(
        `The erasure of ${grouped(ordered)} samples of ${region} was ordered; \`residency audit erasures\` shows it.`,
      );
    if (unordered > 0)
      await output.line(
        `To have the ${grouped(unordered)} samples of ${region} erased that are past their time: set RESIDENCY_RETENTION=auto (docs/how-to/keep-and-hold.md).`,
      );
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
