import { ConsentTotals, replay } from '@residency/auditing';
import type { Period, Replay } from '@residency/auditing';
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
import { bytesText, counted, grouped, table } from '../terminal/table.ts';
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
  const report =
    into === undefined
      ? await read(session, system, period)
      : await withScratch(async (scratch) => {
          const consents = new ConsentTotals(scratch('consents'));
          const counted = await read(session, system, period, consents);
          await writeViews(into, counted, period, consents);
          return counted;
        });
  if (json) await session.output.json(replayJson(report, period));
  else await writeText(session, report);
  if (into !== undefined) session.output.note(`The views are in ${printable(into)}.`);
  return report.faults.total > 0 ? EXIT.found : EXIT.done;
}

async function read(
  session: Session,
  system: System,
  period: Period,
  consents?: ConsentTotals,
): Promise<Replay> {
  const progress = startProgress(session, 'Replaying');
  try {
    const records = interruptible(session, system.auditLog(defined({ from: period.from })));
    return await replay(records, {
      ...period,
      onProgress: (done) => {
        progress.update(done);
      },
      ...defined({ consents }),
    });
  } finally {
    progress.stop();
  }
}

async function writeText({ output }: Session, report: Replay): Promise<void> {
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
  await output.line('');
  for (const { code, position } of faults.list)
    await output.line(`${code}  ${printable(position)}`);
  if (faults.total > faults.list.length)
    await output.line(`and ${grouped(faults.total - faults.list.length)} more`);
  for (const { partition, events: count, sha256 } of partitions)
    await output.line(`partition ${partition}  ${grouped(count)}  ${sha256}`);
  await output.line(`digest  ${digest}`);
}
