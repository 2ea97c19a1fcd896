import { csvCell } from '@residency/auditing';
import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import { withSystem } from '../opening/with-system.ts';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { table } from '../terminal/table.ts';
import { orderedErasures } from './ordered-samples.ts';
import type { OrderQuery, OrderedErasure, OrderedSample } from './ordered-samples.ts';
import { requireAct } from './require-act.ts';

type Options = Common &
  OrderQuery & {
    readonly format: 'csv' | 'json' | 'table';
    readonly samples?: true;
    readonly receipt?: string;
  };

type Row = Readonly<Record<string, number | string | undefined>>;

const ORDER_COLUMNS = [
  'at',
  'order',
  'by',
  'region',
  'named',
  'stored',
  'erased',
  'waiting',
  'held',
  'keptBySitesOut',
  'keptByRetired',
  'completedAt',
  'reason',
];
const SAMPLE_COLUMNS = [
  'order',
  'region',
  'submission',
  'position',
  'state',
  'erasedAt',
  'sites',
  'keptBySitesOut',
  'keptByRetired',
];

/** Of the table, where the member's name is no word. */
const HEADS = new Map([
  ['at', 'ordered'],
  ['erasedAt', 'erased'],
  ['completedAt', 'completed'],
  ['keptBySitesOut', 'still in'],
  ['keptByRetired', 'still in retired'],
]);

/** Prints the orders to erase by region, or their samples, or writes receipts of one order. */
export async function listErasures(session: Session, options: Options): Promise<ExitCode> {
  const { order, receipt, samples } = options;
  if (order !== undefined) requireAct(order, 'order');
  if (receipt !== undefined && (order === undefined || samples !== undefined))
    throw usage('Expected --receipt with --order and without --samples, found it otherwise.');
  return await withSystem(session, options, async (system) => {
    const orders = await orderedErasures(session, system, options);
    const [found] = orders;
    if (receipt !== undefined) {
      if (found === undefined)
        throw usage(
          'Expected the order of --receipt to fit --from, --to and --reason, found that it does not; nothing was written. Leave them out.',
        );
      const { writeReceipts } = await import('./write-receipts.ts');
      return await writeReceipts(session, system, found, receipt);
    }
    await (samples === undefined
      ? print(session, options, ORDER_COLUMNS, orders.flatMap(orderRows))
      : print(session, options, SAMPLE_COLUMNS, orders.flatMap(sampleRows)));
    return EXIT.done;
  });
}

/** One row a region; one without a region if nothing is stored. */
function orderRows({ order, doer, samples }: OrderedErasure): readonly Row[] {
  const regions = Object.entries(Object.groupBy(samples, ({ sample }) => sample.stored.region));
  const all = regions.length === 0 ? [['', []] as const] : regions;
  return all.map(([region, some = []]) => {
    const [erased, waiting, held] = (['erased', 'waiting', 'held'] as const).map(
      (state) => some.filter((one) => one.state === state).length,
    );
    return {
      at: formatInstant(order.at),
      order: order.act,
      by: doer?.by,
      region,
      named: order.submissions.length + order.consents.length,
      stored: some.length,
      erased,
      waiting,
      held,
      keptBySitesOut: keptText(some.flatMap(({ kept }) => kept.out)),
      keptByRetired: keptText(some.flatMap(({ kept }) => kept.retired)),
      completedAt:
        erased === some.length && some.some((one) => one.erased.length > 0)
          ? formatInstant(some.reduce((last, one) => Math.max(last, lastErased(one)), 0))
          : undefined,
      reason: order.reason,
    };
  });
}

function sampleRows({ order, samples }: OrderedErasure): readonly Row[] {
  return samples.map((one) => ({
    order: order.act,
    region: one.sample.stored.region,
    submission: one.sample.submission,
    position: one.sample.stored.position,
    state: one.state,
    erasedAt: one.erased.length === 0 ? undefined : formatInstant(lastErased(one)),
    sites: one.sites.join(' '),
    keptBySitesOut: one.kept.out.join(' '),
    keptByRetired: one.kept.retired.join(' '),
  }));
}

function lastErased({ erased }: OrderedSample): number {
  return erased.reduce((last, { at }) => Math.max(last, at), 0);
}

/** `zrh-2 3`. */
function keptText(sites: readonly string[]): string {
  return Object.entries(Object.groupBy(sites, (site) => site))
    .map(([site, all = []]) => `${site} ${all.length}`)
    .join(' ');
}

async function print(
  { output }: Session,
  { json, format }: Options,
  columns: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  if (json || format === 'json') for (const row of rows) await output.json(defined(row));
  // RFC 4180 ends a line with CRLF.
  else if (format === 'csv')
    await output.lines(
      [columns, ...rows.map((row) => columns.map((column) => csvCell(row[column])))].map(
        (cells) => `${cells.join(',')}\r`,
      ),
    );
  else if (rows.length === 0) output.note('Nothing was ordered to be erased.');
  else
    await output.lines(
      table(
        columns.map((column) => HEADS.get(column) ?? column),
        rows.map((row) =>
          columns.map((column) => {
            const cell = row[column] ?? '';
            return typeof cell === 'string' ? printable(cell) : cell;
          }),
        ),
      ),
    );
}
