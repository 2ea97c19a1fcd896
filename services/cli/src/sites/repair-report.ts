import {
  ORDER_CLOSED,
  SAMPLE_COPIED,
  SAMPLE_NOT_REPAIRED,
  isOfOrder,
  objectKey,
} from '@residency/contracts';
import type { ClosedData, RepairEvent, UnpaidCode } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { System } from '../system/system.ts';
import { usage } from '../terminal/cli-error.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { custodyEvents } from '../system/holdings.ts';
import { ordersIn } from './site-orders.ts';
import { endOf } from './site-repair.ts';

/** As `rclone check --combined`: missing in the site, different there, or an error. */
type Sign = '-' | '*' | '!';

/** What an order did about one object. */
interface Line {
  readonly sign: Sign;
  readonly key: string;
  readonly position: string;
  readonly submission: string;
  /** The site that the copy was made from. */
  readonly from?: string;
  /** Where the bytes are kept that the copy replaced. */
  readonly setAside?: string;
  /** Why there is no good copy. */
  readonly code?: UnpaidCode;
}

/**
 * Prints what an order found, object by object, in the order of their keys. It follows from the
 * custody log: the closing event has the counts only. What was good (`=`) is counted and not listed.
 */
export async function reportRepair(
  session: Session,
  system: System,
  { json, act }: { readonly json: boolean; readonly act: string },
): Promise<ExitCode> {
  const { output } = session;
  const order = (await ordersIn(session, system)).find((one) => one.act === act);
  if (order === undefined)
    throw usage(
      'Expected --report to name an order that `residency site repairs` lists, found another; nothing is reported. Name one of them.',
    );
  const { lines, closed } = await linesOf(session, system, order);
  const count = (sign: Sign): number => lines.filter((line) => line.sign === sign).length;
  const [missing, differed, errors] = [count('-'), count('*'), count('!')];
  const equal = closed === undefined ? undefined : closed.checked - lines.length;
  if (json) {
    for (const line of lines) await output.json(line);
    const { site, region } = order;
    const counts = { missing, differed, errors, ...defined({ equal }) };
    await output.json({ order: act, site, region, ...endOf(closed), ...counts });
  } else {
    await output.lines(lines.map(({ sign, key }) => `${sign} ${key}`));
    output.note(
      `= ${equal ?? 'not known before the order is closed'}, - ${missing}, * ${differed}, ! ${errors}${closed?.refused === undefined ? '' : `; refused: ${closed.refused}`}`,
    );
  }
  return errors > 0 || closed?.refused !== undefined ? EXIT.found : EXIT.done;
}

/** The submissions of which an order found no good copy anywhere (`NO_GOOD_COPY`). Throws `USAGE`. */
export async function lostByRepair(
  session: Session,
  system: System,
  act: string,
): Promise<{ readonly region: string; readonly submissions: readonly string[] }> {
  const order = (await ordersIn(session, system)).find((one) => one.act === act);
  if (order === undefined)
    throw usage(
      'Expected --order to name an order that `residency site repairs` lists, found another; nothing was ordered. Name one of them.',
    );
  const { lines } = await linesOf(session, system, order);
  return {
    region: order.region,
    submissions: lines
      .filter(({ code }) => code === 'NO_GOOD_COPY')
      .map(({ submission }) => submission),
  };
}

async function linesOf(
  session: Session,
  system: System,
  { act, region }: { readonly act: string; readonly region: string },
): Promise<{ readonly lines: readonly Line[]; readonly closed?: ClosedData }> {
  // The last event about an object counts: a custodian that began an order again may have done better.
  const lines = new Map<string, Line>();
  let closed: ClosedData | undefined;
  for await (const event of custodyEvents(session, system, new Set([region]))) {
    if (!isOfOrder(event, act)) continue;
    if (event.type === ORDER_CLOSED) {
      closed = event.data;
      break;
    }
    const line = lineOf(event);
    lines.set(line.position, line);
  }
  const sorted = [...lines.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return { lines: sorted, ...defined({ closed }) };
}

function lineOf(event: Exclude<RepairEvent, { readonly type: typeof ORDER_CLOSED }>): Line {
  const { of: position, submission } = event.data;
  const about = { key: objectKey(submission), position, submission };
  switch (event.type) {
    case SAMPLE_COPIED: {
      const { from, setAside } = event.data;
      return setAside === undefined
        ? { sign: '-', ...about, from }
        : { sign: '*', ...about, from, setAside: setAside.key };
    }
    case SAMPLE_NOT_REPAIRED:
      return { sign: '!', ...about, code: event.data.code };
    default:
      return event satisfies never;
  }
}
