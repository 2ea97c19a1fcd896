import { TOPICS } from '@residency/contracts';
import type { LogAhead } from './log-ahead.ts';
import type { IntakeReads } from './submission-log/intake-reads.ts';

/** How far a partition of the intake log is settled. */
export interface IntakeProgress {
  readonly partition: number;
  /** The first offset there is, and the next record's. */
  readonly start: bigint;
  readonly end: bigint;
  /** The group's committed position; absent: none, or no more (Kafka forgets those of a group that is idle for `offsets.retention.minutes`). */
  readonly committed?: bigint;
  /**
   * The first offset that is not settled: the one after the last audit event or the committed position, whichever is further; `start` where
   * there is neither. Below `start`, or beyond `end`: the log lost records that were never settled, or its end (`PROGRESS_LOST`).
   */
  readonly next: bigint;
}

/**
 * The audit log says where a partition stands (docs/decisions/0011), so it is asked wherever the committed position does not say that all
 * is settled: what was committed may be gone or lag behind. A committed position ahead of the audit log is believed: that it is wrong, and
 * what then, is the next router's to say (`PROGRESS_DIFFERS`), and no number of offsets says it.
 */
export async function intakeProgress(reads: IntakeReads): Promise<IntakeProgress[]> {
  // Starts first and ends last, so that what happens meanwhile looks like neither a loss nor a step back.
  const before = await reads.bounds(TOPICS.samples);
  const committed = await reads.committed();
  const settled = new Map<number, bigint>();
  for (const [partition, { end }] of before) {
    if ((committed.get(partition) ?? -1n) >= end) continue;
    const { last } = await reads.auditTail(partition, { awaitOpen: false });
    if (last !== null) settled.set(partition, last + 1n);
  }
  const after = await reads.bounds(TOPICS.samples);
  return [...before]
    .toSorted(([a], [b]) => a - b)
    .map(([partition, { start, end }]) => {
      const position = committed.get(partition);
      const known = [position, settled.get(partition)].filter((offset) => offset !== undefined);
      const next = known.length === 0 ? start : known.reduce((a, b) => (a > b ? a : b));
      return {
        partition,
        start,
        end: after.get(partition)?.end ?? end,
        ...(position === undefined ? {} : { committed: position }),
        next,
      };
    });
}

/** Records were deleted unsettled, or the log lost its end. */
export function isLost({ start, end, next }: IntakeProgress): boolean {
  return next < start || next > end;
}

/** What follows a log's last record: a marker for each transaction, and what was aborted. Further back it is not worth a fetch. */
const TAIL = 64n;

/** How many offsets are not settled. A publisher's transactions leave markers at the end of the log, which no router ever settles. */
export async function unsettledOf(
  { start, end, next }: IntakeProgress,
  ahead: (offset: bigint) => Promise<LogAhead>,
): Promise<bigint> {
  const left = end > next ? end - next : 0n;
  if (left === 0n || left > TAIL || next < start) return left;
  const { first, upTo } = await ahead(next);
  return first === undefined && upTo >= end ? 0n : left;
}
