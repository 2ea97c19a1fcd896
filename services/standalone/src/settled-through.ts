import { setTimeout as sleep } from 'node:timers/promises';
import type { SqliteLog } from '@residency/adapter-sqlite';

const POLL_MS = 50;

/**
 * Waits until the router has settled the intake record at `offset`; `false`: `signal` was aborted
 * first.
 */
export async function settledThrough(
  log: Pick<SqliteLog, 'committed'>,
  offset: bigint,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    const committed = await log.committed();
    if (committed !== null && committed >= offset) return true;
    await sleep(POLL_MS);
  }
  return false;
}
