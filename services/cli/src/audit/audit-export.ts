import { randomUUID } from 'node:crypto';
import { CSV_COLUMNS, CustodySelection, Selection, csvRow } from '@residency/auditing';
import type { Period } from '@residency/auditing';
import { EXPORTED, EXPORT_BEGUN } from '@residency/contracts';
import type { EXPORT_FORMATS } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { usage } from '../terminal/cli-error.ts';
import { record } from '../system/control.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { periodOf } from '../system/period.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { counted } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';
import { requireCustodyRegion } from './require-custody-region.ts';

type Format = (typeof EXPORT_FORMATS)[number];
type Options = Common & Required<Period> & { readonly format: Format; readonly custody?: string };

export async function exportEvents(session: Session, options: Options): Promise<ExitCode> {
  return await withSystem(session, options, (system) => run(session, options, system));
}

async function run(session: Session, options: Options, system: System): Promise<ExitCode> {
  periodOf(options);
  const { custody } = options;
  if (custody !== undefined) requireExportable(custody, options);
  const asked = {
    export: randomUUID(),
    from: formatInstant(options.from),
    to: formatInstant(options.to),
    format: options.format,
    ...defined({ custody }),
  };
  // Before the first byte: an export that is killed leaves this behind.
  await record(session, system, { type: EXPORT_BEGUN, data: asked });
  const selection = custody === undefined ? new Selection() : new CustodySelection();
  let complete = false;
  try {
    await give(session, options, system, selection);
    // Not delivered, because the output failed or its reader closed.
    complete = await session.output.delivered();
  } finally {
    const { events, digest } = selection.summary;
    await record(session, system, { type: EXPORTED, data: { ...asked, events, digest, complete } });
  }
  const { events, digest, undecodable } = selection.summary;
  session.output.note(
    `${counted(events, 'event')}, digest ${digest}, recorded as export ${asked.export}.`,
  );
  if (undecodable > 0)
    session.output.note(
      `${counted(undecodable, 'record')} of the log are no events and were left out; \`residency audit replay\` names them.`,
    );
  return undecodable > 0 ? EXIT.found : EXIT.done;
}

async function give(
  session: Session,
  { from, to, format, custody }: Options,
  system: System,
  selection: Selection | CustodySelection,
): Promise<void> {
  const { output } = session;
  if (selection instanceof CustodySelection) {
    for await (const bytes of selection.of(
      interruptible(session, system.custodyLog(custody ?? '')),
      { from, to },
    ))
      await output.line(bytes);
    return;
  }
  if (format === 'csv') await output.line(CSV_COLUMNS.join(','));
  for await (const { event, bytes } of selection.of(
    interruptible(session, system.auditLog({ from })),
    { from, to },
  ))
    await output.line(format === 'csv' ? csvRow(event) : bytes);
}

/** A copy is nested data, so it has no columns. */
function requireExportable(region: string, { format }: Options): void {
  requireCustodyRegion(region);
  if (format !== 'ndjson')
    throw usage('Expected --custody with --format ndjson, found csv: a custody event is no row.');
}
