import type { SqliteLog } from '@residency/adapter-sqlite';
import { remedyOf } from '@residency/coded-error';
import { pause } from '@residency/waiting';
import { ErasedIntake } from './erased-intake.ts';
import { Withdrawals } from './withdrawals.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Until `signal` is aborted: orders the erasure of what was given under withdrawn consents, and
 * deletes the intake log's copies of what was erased. `waits` is called with each error before a
 * retry, and with `undefined` after a success.
 */
export async function followWithdrawals(
  log: SqliteLog,
  waits: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const [withdrawals, intake] = [new Withdrawals(log), new ErasedIntake(log)];
  while (!signal.aborted) {
    try {
      await withdrawals.order();
      await intake.drop();
      waits(undefined);
    } catch (error) {
      if (remedyOf(error) !== 'retry') throw error;
      waits(error);
    }
    await pause(LOOK_EVERY_MS, signal);
  }
}
