import { ConsentTotals, replay } from '@residency/auditing';
import type { Period, Replay } from '@residency/auditing';
import { formatInstant } from '@residency/residency';
import type { Command } from 'commander';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { withScratch } from '../file-scratch.ts';
import { interruptible } from '../interruptible.ts';
import { printable } from '../output.ts';
import { periodOf, periodOptions } from '../period.ts';
import { startProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import type { System } from '../system.ts';
import { bytesText, counted, grouped, table } from '../table.ts';
import { makeViewsFolder, replayJson, writeViews } from '../views-folder.ts';
import { withSystem } from '../with-system.ts';

type Options = Common & Period & { readonly into?: string };

export function auditReplayCommand(audit: Command, session: Session, answer: Answer): void {
  periodOptions(
    describe(
      audit,
      'replay',
      'Count the whole audit log together, by region, country, policy and outcome, and name it by a digest that every correct replay has. Ends with 1 where the log is not whole.',
      [
        'audit replay',
        'audit replay --from 2026-01-01 --to 2026-02-01 --json',
        'audit replay --into january --from 2026-01-01 --to 2026-02-01',
      ],
    ),
  )
    .option(
      '--into <dir>',
      'write the views as files, that by consent among them; a folder that is empty or not there',
    )
    .action(
      answering(answer, (options: Options) =>
        withSystem(session, options, (system) => run(session, options, system)),
      ),
    );
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
    const records = interruptible(
      session,
      system.auditLog(period.from === undefined ? {} : { from: period.from }),
    );
    return await replay(records, {
      ...period,
      onProgress: (done) => {
        progress.update(done);
      },
      ...(consents === undefined ? {} : { consents }),
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
