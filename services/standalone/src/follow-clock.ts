import type { SqliteLog } from '@residency/adapter-sqlite';
import { pause } from '@residency/waiting';

const LOOK_EVERY_MS = 5_000;

/**
 * Until `signal` is aborted: calls `waits` with the error while this machine's clock makes appends
 * fail, and with `undefined` once they succeed.
 */
export async function followClock(
  log: Pick<SqliteLog, 'clock'>,
  waits: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const clock = await log.clock().catch(() => undefined);
    if (clock !== undefined && !signal.aborted) waits(clock.error);
    await pause(LOOK_EVERY_MS, signal);
  }
}
