import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { Database } from './database.ts';
import { extent } from './reading.ts';

/** The log's knowledge of one intake record. */
export interface FoundOutcome {
  readonly state: 'settled' | 'unsettled' | 'forgotten' | 'beyond';
  /** Present where it is settled. */
  readonly event?: Uint8Array;
}

/**
 * The audit event of an intake offset. Events are in the order of their records, so this is a
 * binary search. Call it within one read transaction.
 */
export function readOutcome(db: Database, offset: number): FoundOutcome {
  const { next, settled } = extent(db, TOPICS.samples);
  if (offset >= next) return { state: 'beyond' };
  if (offset > (settled ?? -1)) return { state: 'unsettled' };
  let [low, end] = [0, extent(db, TOPICS.audit).next];
  while (low < end) {
    const middle = Math.floor((low + end) / 2);
    const event = db.get<{ value: Uint8Array }>(
      'SELECT value FROM record WHERE topic = (SELECT id FROM topic WHERE name = ?) AND "offset" = ?',
      TOPICS.audit,
      middle,
    )?.value;
    const about = event === undefined ? -1 : Number(decodeAuditEvent(event).position.offset);
    if (event !== undefined && about === offset) return { state: 'settled', event };
    if (about < offset) low = middle + 1;
    else end = middle;
  }
  return { state: 'forgotten' };
}
