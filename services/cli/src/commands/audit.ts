import { OUTCOMES, decodeAuditEvent, formatPosition } from '@residency/contracts';
import type { AuditEvent, Outcome } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { Option } from 'commander';
import type { Command } from 'commander';
import { answering, describe, group, parseAt, parseSubmission } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { placeOf } from '../outcome.ts';
import { checkRegion } from '../policies.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import { withData } from '../with-data.ts';

interface Options extends Common {
  readonly outcome?: Outcome;
  readonly region?: string;
  readonly submission?: string;
  readonly from?: number;
  readonly to?: number;
}

export function auditCommand(program: Command, session: Session, answer: Answer): void {
  const audit = group(program, 'audit', 'Read the audit log.', ['audit list --outcome quarantined']);
  describe(audit, 'list', 'Audit events in log order; --json gives the events themselves, byte for byte.', [
    'audit list --outcome stored --region zurich',
    'audit list --from 2026-01-01 --to 2026-02-01 --json',
    'audit list --submission 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd',
  ]).addOption(new Option('--outcome <outcome>', 'only these').choices(OUTCOMES))
    .option('--region <region>', 'only those decided for this region')
    .option('--submission <id>', 'only those about this submission', parseSubmission)
    .option('--from <instant>', 'append time, inclusive; RFC 3339 or a date', parseAt)
    .option('--to <instant>', 'append time, exclusive', parseAt)
    .action(answering(answer, (options: Options) => list(session, options)));
}

// A stream has no widest row: these fit what we write.
const WIDTHS = [24, 11, 22, 7, 10];

async function list(session: Session, { data, json, outcome, region, submission, from, to }: Options): Promise<ExitCode> {
  const query = { ...(outcome === undefined ? {} : { outcome }), ...(region === undefined ? {} : { region }), ...(submission === undefined ? {} : { submission }), ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  return await withData(data, async (directory) => {
    if (region !== undefined) await checkRegion(directory, region);
    if (!json) await session.output.line(row(['at', 'outcome', 'region or reason', 'country', 'bytes', 'position']));
    for await (const event of directory.log.auditRecords(query)) {
      checkInterrupted(session);
      await session.output.line(json ? event : row(cellsOf(decodeAuditEvent(event))));
    }
    return EXIT.done;
  });
}

function cellsOf(event: AuditEvent): string[] {
  const country = 'country' in event.data ? event.data.country ?? '' : '';
  return [formatInstant(event.at), event.outcome, placeOf(event), country, String(event.data.sampleBytes ?? ''), formatPosition(event.position)];
}

function row(cells: readonly string[]): string {
  return cells.map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0)).join('  ');
}
