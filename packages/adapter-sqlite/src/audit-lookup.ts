import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { Database } from './database.ts';

/** What an audit event is looked up by; `at` = the T of the record it is about. */
export interface AuditLookup {
  readonly at: number;
  readonly outcome: string;
  readonly submission: string | null;
  readonly region: string | null;
}

export interface AuditWithLookup {
  readonly offset: number;
  /** `null`: looked up, but not in the log. */
  readonly value: Uint8Array | null;
  /** `null`: in the log, but not looked up; the others with it. */
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

/** The next `limit` audit offsets at or after `start` that the log or the look-up table has, with what each says. One statement, so of one moment. */
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

export function lookupDiffers({
  value,
  at,
  outcome,
  submission,
  region,
}: AuditWithLookup): boolean {
  if (value === null) return true;
  let expected: AuditLookup;
  try {
    expected = lookupOf(decodeAuditEvent(value));
  } catch {
    // No event, so nothing to look up; that it stands in the log is another finding.
    return outcome !== null;
  }
  return (
    expected.at !== at ||
    expected.outcome !== outcome ||
    expected.submission !== submission ||
    expected.region !== region
  );
}
