import { ConsentTotals, custodyLogsOf, replay, replayCustody } from '@residency/auditing';
import type { CustodyReplay, Period, Replay } from '@residency/auditing';
import { regionOfCustody } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { withScratch } from '../terminal/file-scratch.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { printable } from '../terminal/output.ts';
import { periodOf } from '../system/period.ts';
import { startProgress } from '../terminal/progress.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { checkRecordLogs } from './ledger-check.ts';
import { writeRecordLogs } from './record-logs-report.ts';
import { bytesText, counted, grouped, table } from '../terminal/table.ts';
import { HoldingTotals } from './holding-totals.ts';
import type { HoldingTotal } from './holding-totals.ts';
import { makeViewsFolder, replayJson, writeViews } from './views-folder.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & Period & { readonly into?: string };

export async function replayLog(session: Session, options: Options): Promise<ExitCode> {
  return await withSystem(session, options, (system) => run(session, options, system));
}

async function run(
  session: Session,
  { into, json, ...options }: Options,
  system: System,
): Promise<ExitCode> {
  const period = periodOf(options);
  if (into !== undefined) await makeViewsFolder(into);
  const whole = isWhole(period) ? await readCustody(session, system) : undefined;
  const report =
    into === undefined
      ? await read(session, system, period, { holdings: whole?.totals })
      : await withScratch(async (scratch) => {
          const consents = new ConsentTotals(scratch('consents'));
          const counted = await read(session, system, period, {
            consents,
            holdings: whole?.totals,
          });
          await writeViews(into, counted, period, { consents, holdings: whole?.totals.rows() });
          return counted;
        });
  const custody = whole?.replays ?? [];
  const logs = whole === undefined ? undefined : await checkRecordLogs(session, system);
  const byHolding = whole?.totals.rows();
  if (json)
    await session.output.json({
      ...replayJson(report, period),
      ...(whole === undefined ? {} : { byHolding, custody }),
      ...defined({ logs }),
    });
  else {
    await writeText(session, report, byHolding);
    for (const one of custody) await writeCustody(session, one);
    if (logs !== undefined) await writeRecordLogs(session, logs);
  }
  if (whole !== undefined && logs === undefined)
    session.output.note(
      'The settings do not say where the ledgers are, so no log was compared with one.',
    );
  if (into !== undefined) session.output.note(`The views are in ${printable(into)}.`);
  const faults = [...custody.map((one) => one.faults), report.faults, logs?.differences];
  return faults.some((found) => found !== undefined && found.total > 0) ? EXIT.found : EXIT.done;
}

async function read(
  session: Session,
  system: System,
  period: Period,
  totals: {
    readonly consents?: ConsentTotals;
    readonly holdings: HoldingTotals | undefined;
  },
): Promise<Replay> {
  const progress = startProgress(session, 'Replaying');
  try {
    const records = interruptible(session, system.auditLog(defined({ from: period.from })));
    return await replay(records, {
      ...period,
      onProgress: (done) => {
        progress.update(done);
      },
      ...defined(totals),
    });
  } finally {
    progress.stop();
  }
}

/** A custody event has no T, so custody logs are replayed only as a whole. */
function isWhole({ from, to }: Period): boolean {
  return from === undefined && to === undefined;
}

async function readCustody(
  session: Session,
  system: System,
): Promise<{ readonly replays: readonly CustodyReplay[]; readonly totals: HoldingTotals }> {
  const [replays, totals]: [CustodyReplay[], HoldingTotals] = [[], new HoldingTotals()];
  for (const { topic } of custodyLogsOf(await system.policies())) {
    const region = regionOfCustody(topic);
    if (region === undefined) continue;
    const records = interruptible(session, system.custodyLog(region));
    replays.push(await replayCustody(topic, totals.reading(records)));
  }
  return { replays, totals };
}

async function writeCustody(
  { output }: Session,
  { region, events, copies, erased, lost, orders, sha256, faults }: CustodyReplay,
): Promise<void> {
  const sites = Object.entries(copies).map(
    ([site, count]) => `${printable(site)} ${grouped(count)}`,
  );
  for (const { code, position } of faults.list)
    await output.line(`${code}  ${printable(position)}`);
  if (faults.total > faults.list.length)
    await output.line(`and ${grouped(faults.total - faults.list.length)} more`);
  await output.line(
    `custody ${region}  ${counted(events, 'event')}; copies: ${sites.join(', ') || 'none'}; erased: ${grouped(erased)}; lost: ${grouped(lost)}; orders closed: ${grouped(orders)}  ${sha256}`,
  );
}

async function writeText(
  { output }: Session,
  report: Replay,
  byHolding: readonly HoldingTotal[] | undefined,
): Promise<void> {
  const {
    events,
    first,
    last,
    byOutcome,
    byRegion,
    byCountry,
    byPolicy,
    partitions,
    faults,
    digest,
  } = report;
  if (first !== undefined && last !== undefined)
    await output.line(
      `${counted(events, 'event')} about records of ${formatInstant(first)} to ${formatInstant(last)}`,
    );
  else await output.line('No event.');
  await output.lines(
    table(
      ['outcome', 'reason', 'events', 'stored bytes'],
      byOutcome.map((row) => [
        row.outcome,
        row.reason ?? '',
        row.events,
        bytesText(row.storedBytes),
      ]),
    ),
  );
  const views = [
    ['region', byRegion.map((row) => [row.region, row] as const)],
    ['country', byCountry.map((row) => [row.country, row] as const)],
    ['policy', byPolicy.map((row) => [row.policy, row] as const)],
  ] as const;
  for (const [name, rows] of views) {
    await output.line('');
    await output.lines(
      table(
        [name, 'events', 'stored', 'duplicate', 'refused', 'quarantined', 'stored bytes'],
        rows.map(([key, row]) => [
          printable(key ?? '(none)'),
          row.events,
          row.stored,
          row.duplicate,
          row.refused,
          row.quarantined,
          bytesText(row.storedBytes),
        ]),
      ),
    );
  }
  if (byHolding !== undefined) {
    await output.line('');
    await output.lines(
      table(
        ['region', 'site', 'copies', 'sealed bytes', 'erased', 'lost'],
        byHolding.map((row) => [
          printable(row.region),
          printable(row.site),
          row.copies,
          bytesText(row.sealedBytes),
          row.erased,
          row.lost,
        ]),
      ),
    );
  }
  await output.line('');
  for (const { code, position } of faults.list)
    await output.line(`${code}  ${printable(position)}`);
  if (faults.total > faults.list.length)
    await output.line(`and ${grouped(faults.total - faults.list.length)} more`);
  for (const { partition, events: count, sha256 } of partitions)
    await output.line(`partition ${partition}  ${grouped(count)}  ${sha256}`);
  await output.line(`digest  ${digest}`);
}
