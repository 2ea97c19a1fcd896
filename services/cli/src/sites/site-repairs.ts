import { formatInstant } from '@residency/residency';
import { withSystem } from '../opening/with-system.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { table } from '../terminal/table.ts';
import { reportRepair } from './repair-report.ts';
import { closedIn, namedSites, ordersIn } from './site-orders.ts';
import { endOf, isWhole } from './site-repair.ts';

type Repairs = Common & { readonly report?: string };

/** Lists the orders to repair a site, each with its closing event if it has one. */
export async function listRepairs(session: Session, options: Repairs): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    const { json, report: act } = options;
    if (act !== undefined) return await reportRepair(session, system, { json, act });
    const orders = await ordersIn(session, system);
    const regions = new Set([...(await namedSites(system)).values()].map(({ region }) => region));
    const closed = await closedIn(session, system, regions);
    const rows = orders.map((order) => ({ order, end: closed.get(order.act) }));
    if (options.json)
      for (const { order, end } of rows)
        await session.output.json({
          order: order.act,
          region: order.region,
          site: order.site,
          at: formatInstant(order.at),
          ...endOf(end),
        });
    else
      await session.output.lines(
        table(
          ['ordered', 'site', 'state', 'checked', 'made anew', 'not repaired', 'order'],
          rows.map(({ order, end }) => [
            formatInstant(order.at),
            printable(order.site),
            end === undefined ? 'open' : (end.refused ?? 'closed'),
            ...(end === undefined ? ['', '', ''] : [end.checked, end.copied, end.unpaid]),
            printable(order.act),
          ]),
        ),
      );
    return rows.every(({ end }) => end === undefined || isWhole(end)) ? EXIT.done : EXIT.found;
  });
}
