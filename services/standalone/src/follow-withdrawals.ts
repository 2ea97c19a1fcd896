import type { SqliteLog } from '@residency/adapter-sqlite';
import { remedyOf } from '@residency/coded-error';
import { pause } from '@residency/waiting';
import { Withdrawals } from './withdrawals.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Until `signal` is aborted: orders the erasure of what was given under withdrawn consents. `waits` is called with each error before a
 * retry, and with `undefined` after a success.
 */
export async function followWithdrawals(
  log: SqliteLog,
  waits: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const withdrawals = new Withdrawals(log);
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
