import { randomUUID } from 'node:crypto';
import { ORDER_CLOSED, SAMPLE_COPIED, SITE_REPAIR_ORDERED, isOfOrder } from '@residency/contracts';
import type { ClosedData, RepairOrder } from '@residency/contracts';
import { defined } from '@residency/defined';
import { withSystem } from '../opening/with-system.ts';
import { record } from '../system/control.ts';
import type { System } from '../system/system.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { custodyEvents } from '../system/holdings.ts';
import { namedSite } from './site-orders.ts';
import type { NamedSite } from './site-orders.ts';
import { waitForCopies } from './wait-for-copies.ts';

export type RepairOptions = Common & { readonly rate?: number; readonly wait?: true };

/** Orders the region's custodian to check every copy in a site, and to make anew what is not good. */
export async function repairSite(
  session: Session,
  options: RepairOptions,
  name: string,
): Promise<ExitCode> {
  return await withSystem(session, options, async (system) =>
    orderRepair(session, system, options, await namedSite(system, name)),
  );
}

/** Appends the order, and with `--wait` waits for its closing event. `total`: copies in the site. */
export async function orderRepair(
  session: Session,
  system: System,
  options: RepairOptions,
  { site, region }: NamedSite,
  total?: number,
): Promise<ExitCode> {
  const order = { act: randomUUID(), region, site, ...defined({ perSecond: options.rate }) };
  await record(session, system, { type: SITE_REPAIR_ORDERED, data: order });
  if (options.json) await session.output.json({ order: order.act, region, site });
  else
    await session.output.line(
      `Order ${order.act}: the custodian of ${region} checks every copy in ${site}. \`residency site repairs\` shows what became of it.`,
    );
  if (options.wait !== true) return EXIT.done;
  const closed = await waitForOrder(session, system, order, total);
  if (options.json) await session.output.json({ ...order, order: order.act, ...endOf(closed) });
  else
    await session.output.line(
      closed.refused === undefined
        ? `Closed: ${closed.checked} checked, ${closed.copied} made anew, ${closed.unpaid} not repaired.`
        : `Refused: ${closed.refused}.`,
    );
  return isWhole(closed) ? EXIT.done : EXIT.found;
}

/** The members of a line of `--json` for an order, besides its own. */
export function endOf(closed: ClosedData | undefined): object {
  if (closed === undefined) return { state: 'open' };
  const { checked, copied, unpaid, refused } = closed;
  return {
    state: refused === undefined ? 'closed' : 'refused',
    checked,
    copied,
    unpaid,
    ...defined({ refused }),
  };
}

/** Every copy is good, as far as the order knows. */
export function isWhole({ refused, unpaid }: ClosedData): boolean {
  return refused === undefined && unpaid === 0;
}

async function waitForOrder(
  session: Session,
  system: System,
  { act, region, site }: RepairOrder,
  total?: number,
): Promise<ClosedData> {
  return await waitForCopies(session, `Copies made anew in ${site}`, async () => {
    let done = 0;
    for await (const event of custodyEvents(session, system, new Set([region]))) {
      if (!isOfOrder(event, act)) continue;
      if (event.type === SAMPLE_COPIED) done += 1;
      if (event.type === ORDER_CLOSED) return { done, ended: event.data };
    }
    return { done, ...defined({ total }) };
  });
}
