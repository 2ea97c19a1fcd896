import { remedyOf } from '@residency/coded-error';
import { evolve } from '@residency/consent';
import type { ConsentEvent, ConsentHistory } from '@residency/consent';
import { TOPICS, readConsentRecord } from '@residency/contracts';
import { readJson } from '@residency/residency';
import type { Database } from './database.ts';
import { extent, readRecords, watermark } from './reading.ts';
import { unpackRecord } from './wire.ts';
import type { WireRecord } from './wire.ts';

export interface WireConsents {
  readonly watermark: number;
  readonly histories: readonly (readonly [id: string, history: ConsentHistory])[];
  /** The number of records of the consent log that could not be read. */
  readonly skipped: number;
}

interface Projected {
  readonly next: number;
  readonly skipped: number;
}

const PAGE = { maxRecords: 1_000, maxBytes: 8 * 1024 * 1024 };

/**
 * Histories and watermark of the same moment. The projection first catches up with the log, in the
 * same transaction.
 */
export function readConsents(db: Database, ids: readonly string[]): WireConsents {
  const current = db.reading(() => (upToDate(db) ? look(db, ids) : undefined));
  return (
    current ??
    db.writing(() => {
      while (!upToDate(db)) projectPage(db);
      return look(db, ids);
    })
  );
}

function look(db: Database, ids: readonly string[]): WireConsents {
  const found = ids.map((id) => [id, history(db, id)] as const);
  return {
    watermark: watermark(db),
    histories: found.filter(([, { length }]) => length > 0),
    skipped: position(db).skipped,
  };
}

function upToDate(db: Database): boolean {
  return position(db).next >= extent(db, TOPICS.consents).next;
}

function projectPage(db: Database): void {
  const { next, skipped } = position(db);
  const records = readRecords(db, TOPICS.consents, next, PAGE);
  const unreadable = records.filter((record) => !apply(db, record)).length;
  // If the log lost its last records, the projection could never catch up, so the log's end counts
  // as read.
  const reached = records.at(-1)?.offset ?? extent(db, TOPICS.consents).next - 1;
  db.run('UPDATE projection SET next = ?, skipped = ?', reached + 1, skipped + unreadable);
}

/**
 * False if the record holds no consent event. The publisher of consents controls the bytes, and one
 * bad record must not stop the next.
 */
function apply(db: Database, record: WireRecord): boolean {
  let event: ConsentEvent | undefined;
  try {
    event = readConsentRecord(unpackRecord(TOPICS.consents, record));
  } catch (error) {
    if (remedyOf(error) !== 'park') throw error;
    return false;
  }
  if (event === undefined) return true;
  const evolved = evolve(history(db, event.consentId), event, record.at);
  db.run(
    'INSERT INTO consent (id, intervals) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET intervals = excluded.intervals',
    event.consentId,
    JSON.stringify(evolved),
  );
  return true;
}

function history(db: Database, id: string): ConsentHistory {
  const row = db.get<{ intervals: string }>('SELECT intervals FROM consent WHERE id = ?', id);
  if (row === undefined) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `apply` wrote
  return readJson(row.intervals) as ConsentHistory;
}

function position(db: Database): Projected {
  return db.get<Projected>('SELECT next, skipped FROM projection') ?? { next: 0, skipped: 0 };
}
