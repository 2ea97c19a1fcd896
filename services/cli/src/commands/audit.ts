import { codeOf } from '@residency/coded-error';
import {
  OUTCOMES,
  decodeAuditEvent,
  formatPosition,
  readControlRecord,
} from '@residency/contracts';
import type { AuditEvent, ControlEvent, LogRecord, Outcome } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { Option } from 'commander';
import type { Command } from 'commander';
import { usage } from '../cli-error.ts';
import { answering, describe, group, parseAt, parseSubmission } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { interruptible } from '../interruptible.ts';
import { placeOf } from '../outcome.ts';
import { printable } from '../output.ts';
import { checkRegion } from '../policies.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import { withSystem } from '../with-system.ts';
import { auditAdjudicateCommand } from './audit-adjudicate.ts';
import { auditExportCommand } from './audit-export.ts';
import { auditFsckCommand } from './audit-fsck.ts';
import { auditKeyCommand } from './audit-key.ts';
import { auditProveCommand } from './audit-prove.ts';
import { auditReplayCommand } from './audit-replay.ts';
import { auditVerifyCommand } from './audit-verify.ts';

interface Options extends Common {
  readonly outcome?: Outcome;
  readonly region?: string;
  readonly submission?: string;
  readonly from?: number;
  readonly to?: number;
  readonly control?: true;
}

export function auditCommand(program: Command, session: Session, answer: Answer): void {
  const audit = group(program, 'audit', 'Read the audit log, judge it, and prove it to others.', [
    'audit list --outcome quarantined',
    'audit replay',
    'audit adjudicate',
    'audit fsck',
  ]);
  describe(
    audit,
    'list',
    "Audit events in log order, on a cluster in each partition's; --json gives the events themselves, byte for byte.",
    [
      'audit list --outcome stored --region zurich',
      'audit list --from 2026-01-01 --to 2026-02-01 --json',
      'audit list --submission 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd',
      'audit list --control',
    ],
  )
    .addOption(new Option('--outcome <outcome>', 'only these').choices(OUTCOMES))
    .option('--region <region>', 'only those decided for this region')
    .option('--submission <id>', 'only those about this submission', parseSubmission)
    .option(
      '--from <instant>',
      'append time of the records they are about, inclusive; RFC 3339 or a date',
      parseAt,
    )
    .option('--to <instant>', 'append time, exclusive', parseAt)
    .option(
      '--control',
      'instead, what people did: exports of the audit log, pauses, drainings, log levels',
    )
    .action(
      answering(answer, (options: Options) =>
        options.control === undefined ? list(session, options) : listControl(session, options),
      ),
    );
  for (const add of [
    auditReplayCommand,
    auditAdjudicateCommand,
    auditProveCommand,
    auditVerifyCommand,
    auditFsckCommand,
    auditExportCommand,
    auditKeyCommand,
  ])
    add(audit, session, answer);
}

// A stream has no widest row: these fit what we write.
const WIDTHS = [24, 11, 22, 7, 10];

async function list(
  session: Session,
  { json, outcome, region, submission, from, to, ...where }: Options,
): Promise<ExitCode> {
  const query = {
    ...(outcome === undefined ? {} : { outcome }),
    ...(region === undefined ? {} : { region }),
    ...(submission === undefined ? {} : { submission }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  return await withSystem(session, where, async (system) => {
    if (region !== undefined) await checkRegion(system, region);
    if (!json)
      await session.output.line(
        row(['at', 'outcome', 'region or reason', 'country', 'bytes', 'position']),
      );
    for await (const event of system.auditRecords(query)) {
      checkInterrupted(session);
      await session.output.line(json ? event : row(cellsOf(decodeAuditEvent(event))));
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
      const event = controlOf(record);
      if (event === undefined)
        session.output.note(
          `Record ${record.offset} of the control log is no control event; see who may write there.`,
        );
      else if (json) await session.output.json({ at: formatInstant(record.at), ...event });
      else
        await session.output.line(
          `${formatInstant(record.at)}  ${event.type}  ${Object.entries(event.data)
            .map(([name, value]) => `${name}=${shown(String(value))}`)
            .join(' ')}`.trimEnd(),
        );
    }
    return EXIT.done;
  });
}

/** A reason has blanks, and must not look like two members. */
function shown(value: string): string {
  return /[\s="]/.test(value) ? JSON.stringify(printable(value)) : printable(value);
}

function controlOf(record: LogRecord): ControlEvent | undefined {
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

function row(cells: readonly string[]): string {
  return cells.map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0)).join('  ');
}
