import { codeOf } from '@residency/coded-error';
import { decodeAuditEvent, formatPosition, readControlRecord } from '@residency/contracts';
import type { AuditEvent, ControlEvent, LogRecord, Outcome } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { placeOf } from '../system/outcome.ts';
import { printable } from '../terminal/output.ts';
import { checkRegion } from '../system/policies.ts';
import { checkInterrupted } from '../terminal/session.ts';
import { columns } from '../terminal/table.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

interface Options extends Common {
  readonly outcome?: Outcome;
  readonly region?: string;
  readonly submission?: string;
  readonly from?: number;
  readonly to?: number;
  readonly control?: true;
}

const WIDTHS = [24, 11, 22, 7, 10];

export async function listAny(session: Session, options: Options): Promise<ExitCode> {
  return options.control === undefined
    ? await list(session, options)
    : await listControl(session, options);
}

async function list(
  session: Session,
  { json, outcome, region, submission, from, to, ...where }: Options,
): Promise<ExitCode> {
  const query = defined({ outcome, region, submission, from, to });
  return await withSystem(session, where, async (system) => {
    if (region !== undefined) await checkRegion(system, region);
    if (!json)
      await session.output.line(
        columns(WIDTHS, ['at', 'outcome', 'region or reason', 'country', 'bytes', 'position']),
      );
    for await (const event of system.auditRecords(query)) {
      checkInterrupted(session);
      await session.output.line(json ? event : columns(WIDTHS, cellsOf(decodeAuditEvent(event))));
    }
    return EXIT.done;
  });
}

async function listControl(
  session: Session,
  { json, outcome, region, submission, from, to, ...where }: Options,
): Promise<ExitCode> {
  if ([outcome, region, submission].some((value) => value !== undefined))
    throw usage(
      'Expected --control without --outcome, --region and --submission, because it lists no events about submissions.',
    );
  return await withSystem(session, where, async (system) => {
    for await (const record of interruptible(session, system.controlLog())) {
      if ((from !== undefined && record.at < from) || (to !== undefined && record.at >= to))
        continue;
      const event = controlEventIn(record);
      if (event === undefined)
        session.output.note(
          `Record ${record.offset} of the control log is no control event; see who may write there.`,
        );
      else if (json) await session.output.json({ at: formatInstant(record.at), ...event });
      else
        await session.output.line(
          `${formatInstant(record.at)}  ${event.type}  ${Object.entries({
            ...event.data,
            ...defined({ by: event.principal }),
          })
            .map(([name, value]) => `${name}=${shown(textOf(value))}`)
            .join(' ')}`.trimEnd(),
        );
    }
    return EXIT.done;
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A reason has blanks, and must not look like two members. */
function shown(value: string): string {
  return /[\s="]/.test(value) ? JSON.stringify(printable(value)) : printable(value);
}

function controlEventIn(record: LogRecord): ControlEvent | undefined {
  try {
    return readControlRecord(record);
  } catch (error) {
    if (codeOf(error) !== 'INVALID_CONTROL_EVENT') throw error;
    return undefined;
  }
}

function cellsOf(event: AuditEvent): string[] {
  const country = 'country' in event.data ? (event.data.country ?? '') : '';
  return [
    formatInstant(event.at),
    event.outcome,
    placeOf(event),
    country,
    String(event.data.sampleBytes ?? ''),
    formatPosition(event.position),
  ];
}
