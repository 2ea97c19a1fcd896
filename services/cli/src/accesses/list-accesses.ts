import { csvCell } from '@residency/auditing';
import { defined } from '@residency/defined';
import { sitesByRegion } from '@residency/reconciliation';
import { formatInstant } from '@residency/residency';
import { withSystem } from '../opening/with-system.ts';
import { custodyEvents } from '../system/holdings.ts';
import { requireBefore } from '../system/period.ts';
import { refuseUnknown } from '../system/policies.ts';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { columns } from '../terminal/table.ts';
import { AccessRows } from './access-rows.ts';
import type { AccessRow } from './access-rows.ts';
import type { AccessEventState } from './access-states.ts';
import { AccessTotals } from './access-totals.ts';
import { referenceDigest } from './reference-digest.ts';

interface Options extends Common {
  readonly state?: AccessEventState;
  readonly purpose?: string;
  readonly principal?: string;
  readonly region?: string;
  readonly submission?: string;
  readonly since?: number;
  readonly until?: number;
  readonly reference?: string;
  readonly referenceKey?: string;
  readonly csv?: true;
}

const COLUMNS = [
  'at',
  'region',
  'state',
  'access',
  'principal',
  'purpose',
  'form',
  'submission',
  'bytes',
  'approvedBy',
  'code',
  'until',
] as const;
const HEAD = ['at', 'region', 'state', 'principal', 'purpose', 'form', 'bytes', 'approved by'];
const WIDTHS = [24, 8, 9, 12, 20, 10, 10, 20];

/** Prints the events about accesses, from the custody logs. */
export async function listAccesses(session: Session, options: Options): Promise<ExitCode> {
  const matches = await selection(options);
  const format = formatOf(options);
  return await withSystem(session, options, async (system) => {
    const known = [...sitesByRegion(await system.policies()).keys()];
    if (options.region !== undefined) refuseUnknown(known, options.region);
    const regions = new Set(options.region === undefined ? known : [options.region]);
    const rows = new AccessRows();
    const totals = new AccessTotals();
    const { output } = session;
    if (format.head !== undefined) await output.line(format.head);
    for await (const event of custodyEvents(session, system, regions)) {
      const row = rows.rowOf(event);
      if (row === undefined || !matches(row)) continue;
      totals.add(row);
      await output.line(format.line(row));
    }
    for (const line of totals.lines()) output.note(line);
    return EXIT.done;
  });
}

async function selection(options: Options): Promise<(row: AccessRow) => boolean> {
  const { state, purpose, principal, submission, since, until, reference, referenceKey } = options;
  if ((reference === undefined) !== (referenceKey === undefined))
    throw usage(
      'Expected --reference together with --reference-key, found one of them; the log has a keyed digest of each reference.',
    );
  requireBefore(['--since', since], ['--until', until]);
  const digest =
    reference === undefined || referenceKey === undefined
      ? undefined
      : await referenceDigest(reference, referenceKey);
  const wanted: Partial<AccessRow> = defined({
    state,
    purpose,
    principal,
    submission,
    reference: digest,
  });
  return (row) => {
    const found = new Map<string, unknown>(Object.entries(row));
    return (
      (since === undefined || row.at >= since) &&
      (until === undefined || row.at < until) &&
      Object.entries(wanted).every(([name, value]) => found.get(name) === value)
    );
  };
}

interface Format {
  readonly head?: string;
  line(row: AccessRow): string;
}

function formatOf({ json, csv }: Options): Format {
  if (json && csv === true) throw usage('Expected --json or --csv, found both.');
  if (json) return { line: (row) => JSON.stringify(written(row)) };
  // RFC 4180 ends a line with CRLF.
  if (csv === true)
    return {
      head: `${COLUMNS.join(',')}\r`,
      line: (row) => {
        const cells = { ...written(row), approvedBy: row.approvedBy?.join(' ') };
        const of = new Map<string, unknown>(Object.entries(cells));
        return `${COLUMNS.map((column) => csvCell(of.get(column))).join(',')}\r`;
      },
    };
  return {
    head: columns(WIDTHS, [...HEAD, 'submission or code', 'access']),
    line: (row) => columns(WIDTHS, cellsOf(row)),
  };
}

/** `audit export --custody` has the events themselves, also their references' digests. */
function written({ at, ...row }: AccessRow): Readonly<Record<string, unknown>> {
  const members = Object.entries({ at: formatInstant(at), ...row });
  return Object.fromEntries(members.filter(([name]) => name !== 'reference'));
}

function cellsOf(row: AccessRow): readonly string[] {
  const { at, region, state, access, principal, purpose = '', form = '', bytes } = row;
  return [
    formatInstant(at),
    region,
    state,
    principal,
    purpose,
    form,
    String(bytes ?? ''),
    row.approvedBy?.join(' ') ?? '',
    row.code ?? row.submission ?? '',
    access,
  ];
}
