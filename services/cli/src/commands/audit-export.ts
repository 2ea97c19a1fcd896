import { randomUUID } from 'node:crypto';
import { CSV_COLUMNS, Selection, csvRow } from '@residency/auditing';
import type { Period } from '@residency/auditing';
import { EXPORTED, EXPORT_BEGUN, EXPORT_FORMATS, controlEntry } from '@residency/contracts';
import type { ControlEvent } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { Option } from 'commander';
import type { Command } from 'commander';
import { answering, describe, parseAt } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { interruptible } from '../interruptible.ts';
import { periodOf } from '../period.ts';
import type { Session } from '../session.ts';
import type { System } from '../system.ts';
import { counted } from '../table.ts';
import { withSystem } from '../with-system.ts';

type Format = (typeof EXPORT_FORMATS)[number];
type Options = Common & Required<Period> & { readonly format: Format };

export function auditExportCommand(audit: Command, session: Session, answer: Answer): void {
  describe(
    audit,
    'export',
    'Give out the events of a period on standard output, as a stream of any size. That it was done is recorded on residency.control: `audit list --control` shows it.',
    [
      'audit export --from 2026-01-01 --to 2026-02-01',
      'audit export --from 2026-01-01 --to 2026-02-01 --format csv',
    ],
  )
    .requiredOption(
      '--from <instant>',
      'append time of the records that events are about, inclusive; RFC 3339 or a date',
      parseAt,
    )
    .requiredOption('--to <instant>', 'append time, exclusive', parseAt)
    .addOption(
      new Option('--format <format>', 'the bytes that were decided, or a table for people')
        .choices(EXPORT_FORMATS)
        .default('ndjson'),
    )
    .action(
      answering(answer, (options: Options) =>
        withSystem(session, options, (system) => run(session, options, system)),
      ),
    );
}

async function run(session: Session, options: Options, system: System): Promise<ExitCode> {
  periodOf(options);
  const asked = {
    export: randomUUID(),
    from: formatInstant(options.from),
    to: formatInstant(options.to),
    format: options.format,
  };
  // Before the first byte: an export that is killed leaves this behind.
  await record(system, { type: EXPORT_BEGUN, data: asked });
  const selection = new Selection();
  let complete = false;
  try {
    await give(session, options, system, selection);
    complete = true;
  } finally {
    const { events, digest } = selection.summary;
    await record(system, { type: EXPORTED, data: { ...asked, events, digest, complete } });
  }
  const { events, digest, undecodable } = selection.summary;
  session.output.note(
    `${counted(events, 'event')}, digest ${digest}, recorded as export ${asked.export}.`,
  );
  if (undecodable > 0)
    session.output.note(
      `${counted(undecodable, 'record')} of the audit log are no events and in no period; \`residency audit replay\` names them.`,
    );
  return undecodable > 0 ? EXIT.found : EXIT.done;
}

async function give(
  session: Session,
  { from, to, format }: Options,
  system: System,
  selection: Selection,
): Promise<void> {
  const { output } = session;
  if (format === 'csv') await output.line(CSV_COLUMNS.join(','));
  for await (const { event, bytes } of selection.of(
    interruptible(session, system.auditLog({ from })),
    { from, to },
  ))
    await output.line(format === 'csv' ? csvRow(event) : bytes);
}

async function record(system: System, event: ControlEvent): Promise<void> {
  await system.append([controlEntry(event, randomUUID())]);
}
