import { randomBytes, randomUUID } from 'node:crypto';
import { controlEntry, withdrawalOrders } from '@residency/contracts';
import type { Erasures, LogEntry, Withdrawal } from '@residency/contracts';

export interface OrderErasuresDeps {
  /** What the control log says of erasure, up to its end. */
  readonly erasures: () => Promise<Erasures | undefined>;
  readonly append: (entries: readonly LogEntry[]) => Promise<unknown>;
}

/**
 * Orders the erasure of what was given under withdrawn consents (docs/decisions/0050). May be
 * repeated: what an order covers is not ordered again. Rejects with the log's errors; then orders
 * may have been appended.
 */
export async function orderErasures(
  { erasures, append }: OrderErasuresDeps,
  withdrawals: readonly Withdrawal[],
): Promise<void> {
  if (withdrawals.length === 0) return;
  const orders = withdrawalOrders(withdrawals, await erasures());
  if (orders.length === 0) return;
  // A record of its own each time: a key that is repeated is a finding (docs/formats/record-leaf.md).
  await append(
    orders.map((order) => controlEntry(order, randomUUID(), randomBytes(16).toString('hex'))),
  );
}
