import {
  SAMPLE_ERASED,
  TOPICS,
  auditEventIn,
  custodyEventIn,
  parsePosition,
  regionOfCustody,
} from '@residency/contracts';
import type { AuditEvent, Topic } from '@residency/contracts';
import type { Database } from './database.ts';
import { readOutcome } from './found-outcome.ts';
import { readRecords } from './reading.ts';
import { eraseDeleted } from './retention.ts';

// Bound one transaction, and so how long other writers wait for it.
const MOST_EVENTS = 64;
const MOST_LOOKUPS = 4_096;

/** As in routing: longer chains of duplicates have never been observed. */
const MOST_LINKS = 64;

/** Nobody can append while the truncation waits for a reader. */
const WAIT_FOR_READERS_MS = 100;

/** Where a log was followed to. `within`: the audit offset up to which the event at `next` is done. */
interface Progress {
  readonly next: number;
  readonly within: number;
}

interface Followed extends Progress {
  readonly id: number;
  readonly end: number;
}

interface Portion extends Progress {
  readonly dropped: number;
  /** Something was found, so the progress is worth a write. */
  readonly found: boolean;
  readonly more: boolean;
}

interface AuditRow {
  readonly offset: number;
  readonly value: Uint8Array;
}

/** A log that may name erased samples, or records of them. */
interface ToFollow {
  readonly name: Topic;
  /** The offset of the log's next record. */
  readonly end: number;
}

/** Those that were not followed to their end yet, or whose last records gave nothing to write down. */
export function topicsToFollow(db: Database): readonly ToFollow[] {
  return db
    .all<ToFollow>(
      'SELECT t.name, t.next AS "end" FROM topic t LEFT JOIN erasing e ON e.topic = t.id WHERE t.next > coalesce(e.next, 0)',
    )
    .filter(({ name }) => name === TOPICS.audit || regionOfCustody(name) !== undefined);
}

/**
 * Follows one portion of a log and deletes intake records of erased samples: the stored one, its
 * duplicates, and those refused as `ERASED`. No other record of the submission: it may be another
 * sample, or the same one of another region. `more`: there may be another portion.
 */
export function dropErasedPortion(
  db: Database,
  topic: Topic,
): { readonly dropped: number; readonly more: boolean } {
  return db.writing(() => {
    const followed = db.get<Followed>(
      'SELECT t.id, t.next AS "end", coalesce(e.next, 0) AS next, coalesce(e.within, 0) AS within FROM topic t LEFT JOIN erasing e ON e.topic = t.id WHERE t.name = ?',
      topic,
    );
    if (followed === undefined) return { dropped: 0, more: false };
    const portion =
      topic === TOPICS.audit ? followAudit(db, followed) : followCustody(db, topic, followed);
    const { next, within, dropped, found, more } = portion;
    if (found || more)
      db.run(
        `INSERT INTO erasing VALUES (?, ?, ?, ?) ON CONFLICT (topic)
         DO UPDATE SET next = excluded.next, within = excluded.within, due = max(due, excluded.due)`,
        followed.id,
        next,
        within,
        dropped > 0 ? 1 : 0,
      );
    return { dropped, more };
  });
}

/** Call after the last portion. Throws `LOG_BUSY` (retry) as `eraseDeleted`, also after a restart. */
export function eraseDropped(db: Database): void {
  if (db.get('SELECT 1 FROM erasing WHERE due = 1') === undefined) return;
  eraseDeleted(db, WAIT_FOR_READERS_MS);
  db.run('UPDATE erasing SET due = 0');
}

/** For each new erasure: the stored record, and what was settled about the submission before. */
function followCustody(db: Database, topic: Topic, { next, within, end }: Followed): Portion {
  const records = readRecords(db, topic, next, { maxRecords: MOST_EVENTS, maxBytes: Infinity });
  let [room, dropped, from, found] = [MOST_EVENTS, 0, within, false];
  for (const { offset, value } of records) {
    const event = custodyEventIn(value);
    if (event?.type === SAMPLE_ERASED) {
      const { of, submission } = event.data;
      found = true;
      dropped += dropStored(db, of, submission);
      const rows = auditRows(db, 'a.submission = ? AND a."offset" >= ?', [submission, from], room);
      dropped += dropNamed(db, rows);
      room -= rows.length;
      const last = rows.at(-1);
      if (room === 0 && last !== undefined)
        return { next: offset, within: last.offset + 1, dropped, found, more: true };
    }
    from = 0;
  }
  const last = records.at(-1);
  const more = last !== undefined && records.length === MOST_EVENTS;
  return { next: more ? last.offset + 1 : end, within: 0, dropped, found, more };
}

/** Records that were settled after the sample's erasure was followed. */
function followAudit(db: Database, { next, end }: Followed): Portion {
  const until = Math.min(next + MOST_LOOKUPS, end);
  const rows = auditRows(
    db,
    'a."offset" >= ? AND a."offset" < ? AND EXISTS (SELECT 1 FROM erased e WHERE e.submission = a.submission)',
    [next, until],
    MOST_EVENTS,
  );
  const last = rows.length === MOST_EVENTS ? rows.at(-1) : undefined;
  const to = last === undefined ? until : last.offset + 1;
  const found = rows.length > 0;
  return { next: to, within: 0, dropped: dropNamed(db, rows), found, more: to < end };
}

/** CROSS JOIN: the small rows of `audit` choose first. */
function auditRows(
  db: Database,
  where: string,
  values: readonly (string | number)[],
  limit: number,
): readonly AuditRow[] {
  return db.all<AuditRow>(
    `SELECT a."offset", r.value FROM audit a
     CROSS JOIN record r ON r.topic = (SELECT id FROM topic WHERE name = ?) AND r."offset" = a."offset"
     WHERE a.outcome IN ('duplicate', 'refused') AND ${where} ORDER BY a."offset" LIMIT ?`,
    TOPICS.audit,
    ...values,
    limit,
  );
}

/** Keeps also which sample it is, for records that are settled later. Returns the deleted records. */
function dropStored(db: Database, of: string, submission: string): number {
  const offset = settledHere(db, of);
  if (offset === undefined) return 0;
  db.run('INSERT INTO erased VALUES (?, ?) ON CONFLICT DO NOTHING', offset, submission);
  return dropRecord(db, offset);
}

/** Deletes those of the records that these audit events are about that are of an erased sample. */
function dropNamed(db: Database, rows: readonly AuditRow[]): number {
  let dropped = 0;
  for (const { value } of rows) {
    const event = auditEventIn(value);
    if (event === undefined || !isOfErased(db, event)) continue;
    dropped += dropRecord(db, Number(event.position.offset));
  }
  return dropped;
}

/** A duplicate may name another duplicate. */
function isOfErased(db: Database, event: AuditEvent | undefined, links = MOST_LINKS): boolean {
  if (event?.outcome === 'refused') return event.data.reason === 'ERASED';
  if (event?.outcome !== 'duplicate' || links === 0) return false;
  const offset = settledHere(db, event.data.of);
  if (offset === undefined) return false;
  if (db.get('SELECT 1 FROM erased WHERE "offset" = ?', offset) !== undefined) return true;
  return isOfErased(db, auditEventIn(readOutcome(db, offset).event), links - 1);
}

/** The offset of a settled intake record of this log; `undefined`: the position is none's. */
function settledHere(db: Database, of: string): number | undefined {
  const { log, topic, offset } = parsePosition(of);
  const here = db.get<{ name: string; settled: number | null }>(
    'SELECT m.name, t.settled FROM meta m, topic t WHERE t.name = ?',
    TOPICS.samples,
  );
  const isHere = here?.name === log && topic === TOPICS.samples && offset <= (here.settled ?? -1);
  return isHere ? Number(offset) : undefined;
}

function dropRecord(db: Database, offset: number): number {
  return db.run(
    'DELETE FROM record WHERE topic = (SELECT id FROM topic WHERE name = ?) AND "offset" = ?',
    TOPICS.samples,
    offset,
  );
}
