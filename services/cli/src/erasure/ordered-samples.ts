import { ErasureIndex } from '@residency/contracts';
import type { ErasureOrder } from '@residency/contracts';
import { regionSites } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Session } from '../terminal/session.ts';
import {
  custodyOf,
  erasableSamples,
  heldBy,
  isErased,
  keptIn,
  lostBesideAnother,
  regionsOf,
} from './erasable-samples.ts';
import type { ErasedEntry, FoundSample, KeptIn } from './erasable-samples.ts';
import { readErasures } from './read-erasures.ts';
import type { Doer } from './read-erasures.ts';

/** A sample that an order names, and what became of it. */
export interface OrderedSample {
  readonly sample: FoundSample;
  readonly state: 'erased' | 'held' | 'waiting';
  /**
   * The sites that have a tombstone, and the events that say so. None of a lost sample of which
   * nothing is left to erase.
   */
  readonly sites: readonly string[];
  readonly erased: readonly ErasedEntry[];
  readonly kept: KeptIn;
}

export interface OrderedErasure {
  readonly order: ErasureOrder;
  readonly doer: Doer | undefined;
  /** Those stored so far, in the order of the audit log. */
  readonly samples: readonly OrderedSample[];
}

/** Selects orders; absent members do not restrict. `[from, to)` in their append time. */
export interface OrderQuery {
  readonly from?: number;
  readonly to?: number;
  readonly order?: string;
  /** The reason has this text. */
  readonly reason?: string;
}

/** The orders to erase, and what became of each stored sample. Throws `ORDER_UNKNOWN`. */
export async function orderedErasures(
  session: Session,
  system: System,
  query: OrderQuery,
): Promise<readonly OrderedErasure[]> {
  const { control, erasures, doers } = await readErasures(session, system);
  const orders = erasures.orders.filter((order) => fits(order, query));
  if (query.order !== undefined && !erasures.orders.some(({ act }) => act === query.order))
    throw new CliError({
      code: 'ORDER_UNKNOWN',
      message:
        'Expected the id of an order to erase, found none with it. See `residency audit erasures`.',
      remedy: 'stop',
    });
  const byOrder = new Map(orders.map(({ act }) => [act, new Array<OrderedSample>()]));
  const index = new ErasureIndex({ orders, holds: [] });
  const samples =
    orders.length === 0
      ? new Map<string, FoundSample>()
      : await erasableSamples(session, system, (sample) => index.ordersOf(sample).length > 0);
  const custody = await custodyOf(session, system, samples);
  const regions = await regionSites(session, system, { control, regions: regionsOf(samples) });
  const gone = await lostBesideAnother(session, system, { samples, custody, erasures });
  const holds = new ErasureIndex(erasures);
  for (const [position, sample] of samples) {
    const held = heldBy(sample, custody.get(position));
    const sites = regions.get(sample.stored.region);
    const notYet = holds.holdOf(sample) === undefined ? 'waiting' : 'held';
    const one: OrderedSample = {
      sample,
      state: gone.has(position) || isErased(held, sites) ? 'erased' : notYet,
      sites: held.erased?.sites ?? [],
      erased: custody.get(position)?.erased ?? [],
      kept: keptIn(held, sites),
    };
    for (const act of index.ordersOf(sample)) byOrder.get(act)?.push(one);
  }
  return orders.map((order) => ({
    order,
    doer: doers.get(order.act),
    samples: byOrder.get(order.act) ?? [],
  }));
}

function fits(order: ErasureOrder, query: OrderQuery): boolean {
  return (
    (query.from === undefined || order.at >= query.from) &&
    (query.to === undefined || order.at < query.to) &&
    (query.order === undefined || order.act === query.order) &&
    (query.reason === undefined || order.reason.includes(query.reason))
  );
}
