import type { Topic } from '@residency/contracts';
import type { Database } from './database.ts';
import type { WireRecord } from './wire.ts';

/** How much one read may return: at least one record, then up to both limits. */
export interface ReadLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** A topic's ends and progress, of one moment. `first` = `next` where it holds nothing. */
export interface Extent {
  readonly first: number;
  readonly next: number;
  readonly settled: number | null;
}

const COLUMNS = 'r."offset", r.at, r.headers, r.key, r.value';

export function extent(db: Database, topic: Topic): Extent {
  const found = db.get<Extent>(
    'SELECT coalesce((SELECT min(r."offset") FROM record r WHERE r.topic = t.id), t.next) AS first, t.next, t.settled FROM topic t WHERE t.name = ?',
    topic,
  );
  if (found === undefined) throw new TypeError('Expected a topic of this log.');
  return found;
}

/** Records from `from` on. Sizes are looked at first (SQLite knows them without reading payloads), so that no more is read than is returned. */
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

/** Everything appended before this instant is in what the same transaction reads: later appends that matter get a later time (`Appender`). */
export function watermark(db: Database): number {
  return (db.get<{ last_at: number }>('SELECT last_at FROM meta')?.last_at ?? 0) + 1;
}
