import { TOPICS } from '@residency/contracts/log-record';
import type { AuditEvent } from '@residency/contracts';
import type { Database } from './database.ts';

/** The indexed values of an audit event. `at`: the T of its record. */
export interface AuditLookup {
  readonly at: number;
  readonly outcome: string;
  readonly submission: string | null;
  readonly region: string | null;
}

export interface AuditWithLookup {
  readonly offset: number;
  /** `null`: in the look-up table, but not in the log. */
  readonly value: Uint8Array | null;
  /** `null`: in the log, but not in the look-up table. The other columns are then `null` too. */
  readonly outcome: string | null;
  readonly at: number | null;
  readonly submission: string | null;
  readonly region: string | null;
}

export function lookupOf({ at, outcome, data }: AuditEvent): AuditLookup {
  return {
    at,
    outcome,
    submission: data.submission ?? null,
    region: 'decision' in data ? (data.decision?.region ?? null) : null,
  };
}

/**
 * The next `limit` audit offsets at or after `start` that the log or the look-up table has, with
 * the values of both. One statement, so one snapshot.
 */
export function readAuditLookups(db: Database, start: number, limit: number): AuditWithLookup[] {
  return db.all<AuditWithLookup>(
    `WITH events AS (SELECT "offset", value FROM record WHERE topic = (SELECT id FROM topic WHERE name = ?) AND "offset" >= ?)
     SELECT o."offset", r.value, a.at, a.outcome, a.submission, a.region
     FROM (SELECT "offset" FROM events UNION SELECT "offset" FROM audit WHERE "offset" >= ? ORDER BY 1 LIMIT ?) o
     LEFT JOIN record r ON r.topic = (SELECT id FROM topic WHERE name = ?) AND r."offset" = o."offset"
     LEFT JOIN audit a ON a."offset" = o."offset" ORDER BY o."offset"`,
    TOPICS.audit,
    start,
    start,
    limit,
    TOPICS.audit,
  );
}
