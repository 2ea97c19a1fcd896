import {
  LOSS_CLOSED,
  LOSS_REFUSED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  sampleErased,
} from '@residency/contracts';
import type { LossOrder } from '@residency/contracts';
import { controlOf } from '../system/control-state.ts';
import { custodyEvents } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import type { Session } from '../terminal/session.ts';

/** What an order did about one sample, or one submission without a sample. */
export interface LossResult {
  readonly submission: string;
  readonly position?: string | undefined;
  readonly state: 'lost' | 'refused';
  /** Why it is not lost, and the site that has something of it. */
  readonly code?: string;
  readonly site?: string | undefined;
  /** Sites have a tombstone in the place of the lost sample. */
  isErased?: true;
  /** By the custodian's clock, milliseconds. */
  readonly at: number;
}

/** An order to give samples up, and what came of it so far. */
export interface FollowedLoss {
  readonly order: LossOrder;
  readonly results: LossResult[];
  /** The custodian's closing event, by its clock, milliseconds; absent: the order is open. */
  closedAt?: number;
}

/** Every order to give samples up, in the order of the control log. */
export async function readLosses(
  session: Session,
  system: System,
): Promise<readonly FollowedLoss[]> {
  const orders = (await controlOf(system)).losses ?? [];
  const all = new Map<string, FollowedLoss>(
    orders.map((order) => [order.act, { order, results: [] }]),
  );
  if (all.size === 0) return [];
  const erased = new Set<string>();
  const regions = new Set(orders.map(({ region }) => region));
  for await (const event of custodyEvents(session, system, regions)) {
    const { type, at } = event;
    if (type === SAMPLE_ERASED) erased.add(sampleErased(event).of);
    if (type !== SAMPLE_LOST && type !== LOSS_REFUSED && type !== LOSS_CLOSED) continue;
    const followed = all.get(event.data.order);
    if (followed === undefined) continue;
    if (type === LOSS_CLOSED) followed.closedAt = at;
    else if (type === SAMPLE_LOST) {
      const { submission, of: position } = event.data;
      followed.results.push({ submission, position, state: 'lost', at });
    } else {
      const { submission, of: position, code, site } = event.data;
      followed.results.push({ submission, position, state: 'refused', code, site, at });
    }
  }
  for (const result of [...all.values()].flatMap(({ results }) => results))
    if (result.position !== undefined && erased.has(result.position)) result.isErased = true;
  return [...all.values()];
}
