import { randomUUID } from 'node:crypto';
import {
  ORDER_CLOSED,
  SITE_REPAIR_ORDERED,
  custodyEventIn,
  readControlRecord,
} from '@residency/contracts';
import type { ClosedData, LogRecord, RepairOrder } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatInstant, validPolicies } from '@residency/residency';
import { requireDataDirectory } from '../opening/require-data-directory.ts';
import { withSystem } from '../opening/with-system.ts';
import { record } from '../system/control.ts';
import type { System } from '../system/system.ts';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { table } from '../terminal/table.ts';

type Repair = Common & { readonly rate?: number };

/** The sites of each region in every valid policy version. */
async function sitesOf(system: System): Promise<ReadonlyMap<string, string>> {
  const documents = validPolicies(await system.policies()).map(({ document }) => document);
  return new Map(
    documents.flatMap(({ regions }) =>
      regions.flatMap(({ id, sites }) => sites.map((site) => [site, id] as const)),
    ),
  );
}

/** Orders the region's custodian to check every copy in a site, and to make anew what is not good. */
export async function repairSite(
  session: Session,
  options: Repair,
  site: string,
): Promise<ExitCode> {
  await requireDataDirectory(options);
  return await withSystem(session, options, async (system) => {
    const sites = await sitesOf(system);
    const region = sites.get(site);
    if (region === undefined)
      throw usage(
        `Expected a site that a policy names (${[...sites.keys()].join(', ')}), found ${printable(site)}; nothing was ordered. Name one of them.`,
      );
    const act = randomUUID();
    const order = { act, region, site, ...defined({ perSecond: options.rate }) };
    await record(session, system, { type: SITE_REPAIR_ORDERED, data: order });
    if (options.json) await session.output.json({ order: act, region, site });
    else
      await session.output.line(
        `Order ${act}: the custodian of ${region} checks every copy in ${site}. \`residency site repairs\` shows how far it is.`,
      );
    return EXIT.done;
  });
}

interface Ordered extends RepairOrder {
  /** Append time, milliseconds. */
  readonly at: number;
}

/** Lists the orders to repair a site, each with its closing event if it has one. */
export async function listRepairs(session: Session, options: Common): Promise<ExitCode> {
  await requireDataDirectory(options);
  return await withSystem(session, options, async (system) => {
    const orders = await ordersIn(session, system);
    const regions = new Set((await sitesOf(system)).values());
    const closed = await closedIn(session, system, regions);
    const rows = orders.map((order) => ({ order, closed: closed.get(order.act) }));
    if (options.json)
      for (const { order, closed: end } of rows)
        await session.output.json({
          order: order.act,
          region: order.region,
          site: order.site,
          at: formatInstant(order.at),
          state: stateOf(end),
          ...(end === undefined ? {} : countsOf(end)),
        });
    else
      await session.output.lines(
        table(
          ['ordered', 'site', 'state', 'checked', 'made anew', 'not repaired', 'order'],
          rows.map(({ order, closed: end }) => [
            formatInstant(order.at),
            printable(order.site),
            stateOf(end),
            ...(end === undefined ? ['', '', ''] : [end.checked, end.copied, end.unpaid]),
            printable(order.act),
          ]),
        ),
      );
    return rows.some(({ closed: end }) => end?.refused !== undefined || (end?.unpaid ?? 0) > 0)
      ? EXIT.found
      : EXIT.done;
  });
}

function stateOf(closed: ClosedData | undefined): 'open' | 'closed' | 'refused' {
  if (closed === undefined) return 'open';
  return closed.refused === undefined ? 'closed' : 'refused';
}

function countsOf({ checked, copied, unpaid }: ClosedData): object {
  return { checked, copied, unpaid };
}

async function ordersIn(session: Session, system: System): Promise<readonly Ordered[]> {
  const orders = new Map<string, Ordered>();
  for await (const one of interruptible(session, system.controlLog())) {
    const order = orderIn(one);
    if (order !== undefined && !orders.has(order.act)) orders.set(order.act, order);
  }
  return [...orders.values()];
}

/** What is no control event, `audit list --control` names. */
function orderIn(one: LogRecord): Ordered | undefined {
  try {
    const event = readControlRecord(one);
    return event.type === SITE_REPAIR_ORDERED ? { ...event.data, at: one.at } : undefined;
  } catch {
    return undefined;
  }
}

async function closedIn(
  session: Session,
  system: System,
  regions: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ClosedData>> {
  const closed = new Map<string, ClosedData>();
  for await (const value of interruptible(session, system.trail(() => regions).custody())) {
    const event = custodyEventIn(value);
    if (event?.type === ORDER_CLOSED) closed.set(event.data.order, event.data);
  }
  return closed;
}
