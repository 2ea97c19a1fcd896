import type { SqliteLog } from '@residency/adapter-sqlite';
import { TOPICS } from '@residency/contracts/log-record';
import { formatPosition } from '@residency/contracts/position';
import type { LogRecord } from '@residency/contracts';
import type { IntakeFacts } from '@residency/observation';
import type { Instant } from '@residency/residency';

/** The first unsettled offset of a data directory's intake log, and the offset after its last. */
export async function intakeExtent(
  log: Pick<SqliteLog, 'committed' | 'end'>,
): Promise<{ readonly next: bigint; readonly end: bigint }> {
  // The committed position first: what is settled meanwhile then counts as waiting, and none is
  // missed.
  const next = ((await log.committed()) ?? -1n) + 1n;
  return { next, end: await log.end(TOPICS.samples) };
}

/** How far a data directory's intake log is settled. `now`: the wall clock. */
export async function observeIntake(
  log: Pick<SqliteLog, 'name' | 'committed' | 'end' | 'read'>,
  now: () => Instant,
): Promise<IntakeFacts> {
  const { next, end } = await intakeExtent(log);
  const at = now();
  const first = end > next ? await recordAt(log, next) : undefined;
  return {
    at,
    partitions: [
      {
        partition: 0,
        start: 0n,
        end,
        next,
        settledUpTo: next,
        ...(first === undefined
          ? {}
          : { oldest: formatPosition({ ...first, log: log.name }), oldestAt: first.at }),
      },
    ],
    transactions: [],
  };
}

async function recordAt(
  log: Pick<SqliteLog, 'read'>,
  from: bigint,
): Promise<LogRecord | undefined> {
  for await (const record of log.read(TOPICS.samples, { from, maxRecords: 1, maxBytes: 1 }))
    return record;
  return undefined;
}
