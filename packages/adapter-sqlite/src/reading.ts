import type { Topic } from '@residency/contracts';
import type { Database } from './database.ts';
import type { WireRecord } from './wire.ts';

/** The limits of one read: at least one record, and then up to both limits. */
export interface ReadLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/**
 * A topic's bounds and progress, from one snapshot. If it holds no record, `first` equals `next`. A
 * custody log has no row before its first owner.
 */
export interface Extent {
  readonly first: number;
  readonly next: number;
  readonly settled: number | null;
}

const COLUMNS = 'r."offset", r.at, r.headers, r.key, r.value';

export function extent(db: Database, topic: Topic): Extent {
  return (
    db.get<Extent>(
      'SELECT coalesce((SELECT min(r."offset") FROM record r WHERE r.topic = t.id), t.next) AS first, t.next, t.settled FROM topic t WHERE t.name = ?',
      topic,
    ) ?? { first: 0, next: 0, settled: null }
  );
}

/** The offset of the topic's next record. */
export function nextOf(db: Database, topic: Topic): number {
  return db.get<{ next: number }>('SELECT next FROM topic WHERE name = ?', topic)?.next ?? 0;
}

/**
 * Records from `from` on. Sizes are read first, which SQLite can do without reading payloads, so
 * that no payload is read in vain.
 */
export function readRecords(
  db: Database,
  topic: Topic,
  from: number,
  limits: ReadLimits,
): WireRecord[] {
  const sizes = db.all<{ offset: number; bytes: number }>(
    `SELECT r."offset", length(r.headers) + coalesce(length(r.key), 0) + coalesce(length(r.value), 0) AS bytes
     FROM record r JOIN topic t ON t.id = r.topic WHERE t.name = ? AND r."offset" >= ? ORDER BY r."offset" LIMIT ?`,
    topic,
    from,
    limits.maxRecords,
  );
  let bytes = 0;
  let last: number | undefined;
  for (const row of sizes) {
    bytes += row.bytes;
    if (last !== undefined && bytes > limits.maxBytes) break;
    last = row.offset;
  }
  if (last === undefined) return [];
  return db.all<WireRecord>(
    `SELECT ${COLUMNS} FROM record r JOIN topic t ON t.id = r.topic WHERE t.name = ? AND r."offset" BETWEEN ? AND ? ORDER BY r."offset"`,
    topic,
    from,
    last,
  );
}

export function readRecord(db: Database, topic: string, offset: number): WireRecord | undefined {
  return db.get<WireRecord>(
    `SELECT ${COLUMNS} FROM record r JOIN topic t ON t.id = r.topic WHERE t.name = ? AND r."offset" = ?`,
    topic,
    offset,
  );
}

/** The log's last append time; 0: none yet. */
export function lastAppend(db: Database): number {
  return db.get<{ last_at: number }>('SELECT last_at FROM meta')?.last_at ?? 0;
}

/**
 * The same transaction reads everything that was appended before this instant: later appends of
 * consents and policies get a later time (`Appender`).
 */
export function watermark(db: Database): number {
  return lastAppend(db) + 1;
}
