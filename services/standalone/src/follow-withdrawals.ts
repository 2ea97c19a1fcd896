import { remedyOf } from '@residency/coded-error';
import { pause } from '@residency/waiting';
import type { Withdrawals } from './withdrawals.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Looks for new withdrawals every second and orders the erasure of what was given under them, until
 * `signal` is aborted. `waits` is called with each error before a retry, and with `undefined` after
 * each look that succeeded. Rejects with an error that needs a person.
 */
export async function followWithdrawals(
  withdrawals: Pick<Withdrawals, 'order'>,
  waits: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await withdrawals.order();
      waits(undefined);
    } catch (error) {
      if (remedyOf(error) !== 'retry') throw error;
      waits(error);
    }
    await pause(LOOK_EVERY_MS, signal);
  }
}
