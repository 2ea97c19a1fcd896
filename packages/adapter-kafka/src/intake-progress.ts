import { TOPICS } from '@residency/contracts';
import { defined } from '@residency/defined';
import { OldestUnsettled, unsettledIn } from '@residency/observation';
import type { IntakeProgress, LogAhead } from '@residency/observation';
import type { IntakeReads } from './submission-log/intake-reads.ts';

/**
 * The audit log defines the progress of a partition (docs/decisions/0011). It is read unless the
 * committed position says that all records are settled: the committed position may be missing or
 * lag behind. A committed position ahead of the audit log is used here as it is. The next router
 * detects that (`PROGRESS_DIFFERS`); a count of offsets cannot.
 */
export async function intakeProgress(reads: IntakeReads): Promise<IntakeProgress[]> {
  // Starts are read first and ends last. Changes in between therefore look neither like a loss nor
  // like a step back.
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
        ...defined({ committed: position }),
        next,
      };
    });
}

/**
 * The log's last offsets may be markers, one for each transaction, and aborted records. Looking
 * further back is not worth a fetch.
 */
const TAIL = 64n;

/** The number of offsets that are not settled, as an observer counts them. */
export async function unsettledOf(
  progress: IntakeProgress,
  ahead: (offset: bigint) => Promise<LogAhead>,
): Promise<bigint> {
  const { end, next } = progress;
  const left = unsettledIn({ end, settledUpTo: next });
  if (left === 0n || left > TAIL) return left;
  const { settledUpTo } = await new OldestUnsettled((_, offset) => ahead(offset)).of(progress);
  return unsettledIn({ end, settledUpTo });
}
