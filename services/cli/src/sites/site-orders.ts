import { controlEventIn, ORDER_CLOSED, SITE_REPAIR_ORDERED } from '@residency/contracts';
import type { ClosedData, RepairOrder } from '@residency/contracts';
import { validPolicies } from '@residency/residency';
import { custodyEvents } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import { usage } from '../terminal/cli-error.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';

export interface Ordered extends RepairOrder {
  /** Append time, milliseconds. */
  readonly at: number;
}

/** A site, as the valid policy versions name it. */
export interface NamedSite {
  readonly site: string;
  readonly region: string;
  /** It is the region's first site, which arbitrates unless an order made another one the arbiter. */
  readonly isFirst: boolean;
}

/** Every site that a valid policy version names. */
export async function namedSites(
  system: Pick<System, 'policies'>,
): Promise<ReadonlyMap<string, NamedSite>> {
  const documents = validPolicies(await system.policies()).map(({ document }) => document);
  return new Map(
    documents.flatMap(({ regions }) =>
      regions.flatMap(({ id, sites }) =>
        sites.map((site, index) => [site, { site, region: id, isFirst: index === 0 }] as const),
      ),
    ),
  );
}

/** Throws `USAGE` for a site that no valid policy version names. */
export async function namedSite(
  system: Pick<System, 'policies'>,
  name: string,
): Promise<NamedSite> {
  const sites = await namedSites(system);
  const site = sites.get(name);
  if (site === undefined)
    throw usage(
      `Expected a site that a policy names (${[...sites.keys()].join(', ')}), found ${printable(name)}; nothing was ordered. Name one of them.`,
    );
  return site;
}

/**
 * Every order to repair a site, in the order of the control log. What is no control event, `audit
 * list --control` names.
 */
export async function ordersIn(session: Session, system: System): Promise<readonly Ordered[]> {
  const orders = new Map<string, Ordered>();
  for await (const one of interruptible(session, system.controlLog())) {
    const event = controlEventIn(one);
    if (event?.type === SITE_REPAIR_ORDERED && !orders.has(event.data.act))
      orders.set(event.data.act, { ...event.data, at: one.at });
  }
  return [...orders.values()];
}

/** The closing events, by the order's act. */
export async function closedIn(
  session: Session,
  system: System,
  regions: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ClosedData>> {
  const closed = new Map<string, ClosedData>();
  for await (const event of custodyEvents(session, system, regions))
    if (event.type === ORDER_CLOSED) closed.set(event.data.order, event.data);
  return closed;
}
