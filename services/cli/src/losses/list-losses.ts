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
import { counted, table } from '../terminal/table.ts';
import { standingClaims } from './end-claims.ts';
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
    await printResults(session, json, losses, await standingClaims(system, lostIn(losses)));
    return EXIT.done;
  });
}

function lostIn(losses: readonly FollowedLoss[]): Parameters<typeof standingClaims>[1] {
  return losses.flatMap(({ order: { region }, results }) =>
    results.flatMap(({ submission, position, state, isErased }) =>
      // The claim of an erased sample stands by right: its identity is never free again.
      state === 'lost' && position !== undefined && isErased !== true
        ? [{ submission, position, region }]
        : [],
    ),
  );
}

/** One row for each sample that an order has an event about, and one for each other submission. */
export async function printResults(
  { output }: Session,
  json: boolean,
  losses: readonly FollowedLoss[],
  standing: ReadonlySet<string> = new Set(),
): Promise<void> {
  const rows = losses.flatMap((loss) => rowsOf(loss, standing));
  if (json) for (const row of rows) await output.json(defined(row));
  else if (rows.length === 0) output.note('Nothing was ordered to be given up.');
  else {
    await output.lines(
      table(
        ['order', 'region', 'submission', 'position', 'state', 'code', 'site', 'claim', 'reason'],
        rows.map((row) => [
          row.order,
          printable(row.region),
          row.submission,
          printable(row.position ?? ''),
          row.state,
          row.code ?? '',
          printable(row.site ?? ''),
          row.claim ?? '',
          printable(row.reason),
        ]),
      ),
    );
    if (standing.size > 0)
      await output.line(
        `The claims of ${counted(standing.size, 'lost sample')} stand, so a record that is sent again is settled as a duplicate of nothing. Repeat \`residency sample give-up\` with the names of these samples: it ends their claims. Publishers must not send them again before.`,
      );
  }
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
  /** The claim of a lost sample was not ended yet. */
  readonly claim?: 'stands' | undefined;
  readonly at?: string;
  readonly reason: string;
}

function rowsOf(
  { order, results, closedAt }: FollowedLoss,
  standing: ReadonlySet<string>,
): readonly Row[] {
  const { act, at: ordered, region, reason } = order;
  const about = { order: act, ordered: formatInstant(ordered), region, reason };
  const met = new Set(results.map(({ submission }) => submission));
  const waiting = closedAt === undefined ? order.submissions.filter((one) => !met.has(one)) : [];
  return [
    ...results.map(({ submission, position, state, code, site, at }) => ({
      ...about,
      submission,
      position,
      state,
      code,
      site,
      claim: state === 'lost' && standing.has(position ?? '') ? ('stands' as const) : undefined,
      at: formatInstant(at),
    })),
    ...waiting.map((submission) => ({ ...about, submission, state: 'waiting' as const })),
  ];
}
