import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import { requireAct } from '../erasure/require-act.ts';
import { withSystem } from '../opening/with-system.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { table } from '../terminal/table.ts';
import { readLosses } from './read-losses.ts';
import type { FollowedLoss } from './read-losses.ts';

type Options = Common & { readonly order?: string };

/** Prints the orders to give samples up, and what became of each sample. */
export async function listLosses(session: Session, options: Options): Promise<ExitCode> {
  const { order, json } = options;
  if (order !== undefined) requireAct(order, 'order');
  return await withSystem(session, options, async (system) => {
    const all = await readLosses(session, system);
    const losses = order === undefined ? all : all.filter((one) => one.order.act === order);
    if (order !== undefined && losses.length === 0)
      throw new CliError({
        code: 'ORDER_UNKNOWN',
        message:
          'Expected the id of an order to give samples up, found none with it. See `residency audit losses`.',
        remedy: 'stop',
      });
    await printResults(session, json, losses);
    return EXIT.done;
  });
}

/** One row for each sample that an order has an event about, and one for each other submission. */
export async function printResults(
  { output }: Session,
  json: boolean,
  losses: readonly FollowedLoss[],
): Promise<void> {
  const rows = losses.flatMap(rowsOf);
  if (json) for (const row of rows) await output.json(defined(row));
  else if (rows.length === 0) output.note('Nothing was ordered to be given up.');
  else
    await output.lines(
      table(
        ['order', 'region', 'submission', 'position', 'state', 'code', 'site', 'reason'],
        rows.map((row) => [
          row.order,
          printable(row.region),
          row.submission,
          printable(row.position ?? ''),
          row.state,
          row.code ?? '',
          printable(row.site ?? ''),
          printable(row.reason),
        ]),
      ),
    );
}

interface Row {
  readonly order: string;
  readonly ordered: string;
  readonly region: string;
  readonly submission: string;
  readonly position?: string | undefined;
  readonly state: 'lost' | 'refused' | 'waiting';
  readonly code?: string | undefined;
  readonly site?: string | undefined;
  readonly at?: string;
  readonly reason: string;
}

function rowsOf({ order, results, closedAt }: FollowedLoss): readonly Row[] {
  const { act, at: ordered, region, reason } = order;
  const about = { order: act, ordered: formatInstant(ordered), region, reason };
  const met = new Set(results.map(({ submission }) => submission));
  const waiting = closedAt === undefined ? order.submissions.filter((one) => !met.has(one)) : [];
  return [
    ...results.map(({ at, ...result }) => ({ ...about, ...result, at: formatInstant(at) })),
    ...waiting.map((submission) => ({ ...about, submission, state: 'waiting' as const })),
  ];
}
