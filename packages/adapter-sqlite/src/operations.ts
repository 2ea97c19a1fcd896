import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { hasCode } from '@residency/coded-error';
import { appendAll } from './appending.ts';
import type { Appended } from './appending.ts';
import { readAuditLookups } from './audit-lookup.ts';
import { findSubmission, readAudit } from './auditing.ts';
import type { AuditQuery } from './auditing.ts';
import { readConsents } from './consent-projection.ts';
import type { Database } from './database.ts';
import { extent, readRecord, readRecords, watermark } from './reading.ts';
import type { Extent, ReadLimits } from './reading.ts';
import { dropExpiredPortion, eraseDeleted } from './retention.ts';
import { settle } from './settling.ts';
import type { WireSettlement } from './settling.ts';
import type { WireEntry, WireRecord } from './wire.ts';
import { packError } from './wire-error.ts';
import type { WireError } from './wire-error.ts';

/** One caller's part in a group of appends: what became of it. */
export type AppendResult =
  | { readonly appended: readonly Appended[] }
  | { readonly error: WireError };

/** What the worker can be asked. Everything that belongs to one moment is one operation. */
export function createOperations(db: Database) {
  return {
    name: () => db.get<{ name: string }>('SELECT name FROM meta')?.name ?? '',
    extent: (topic: Topic) => db.reading(() => extent(db, topic)),
    append: (groups: readonly (readonly WireEntry[])[], now: number) =>
      appendGroups(db, groups, now),
    records: (topic: Topic, from: number, limits: ReadLimits) =>
      db.reading(() => readRecords(db, topic, from, limits)),
    record: (topic: string, offset: number) => readRecord(db, topic, offset),
    batch: (limits: ReadLimits) => readBatch(db, limits),
    settle: (settlement: WireSettlement, now: number) => {
      settle(db, settlement, now);
    },
    consents: (ids: readonly string[]) => readConsents(db, ids),
    policies: (from: number) =>
      db.reading(() => ({
        watermark: watermark(db),
        records: readRecords(db, TOPICS.policy, from, { maxRecords: -1, maxBytes: Infinity }),
      })),
    audit: (query: AuditQuery, start: number, limit: number) => readAudit(db, query, start, limit),
    auditLookups: (start: number, limit: number) => readAuditLookups(db, start, limit),
    submission: (id: string) => findSubmission(db, id),
    dropExpired: (olderThan: number) => dropExpiredPortion(db, olderThan),
    erase: () => {
      eraseDeleted(db);
    },
  };
}

export type Operations = ReturnType<typeof createOperations>;
export type OperationName = keyof Operations;

/** All callers' entries in one transaction, that is, one wait for the disk; if it fails, each caller's alone, so that none fails for another. */
function appendGroups(
  db: Database,
  groups: readonly (readonly WireEntry[])[],
  now: number,
): AppendResult[] {
  try {
    const appended = appendAll(db, groups.flat(), now);
    let taken = 0;
    return groups.map(({ length }) => {
      taken += length;
      return { appended: appended.slice(taken - length, taken) };
    });
  } catch (error) {
    if (groups.length === 1 || hasCode(error, 'LOG_BUSY'))
      return groups.map(() => ({ error: packError(error) }));
    return groups.flatMap((group) => appendGroups(db, [group], now));
  }
}

/** The intake records after the last one settled, and the progress they were read at. */
function readBatch(
  db: Database,
  limits: ReadLimits,
): { readonly extent: Extent; readonly records: WireRecord[] } {
  return db.reading(() => {
    const found = extent(db, TOPICS.samples);
    return {
      extent: found,
      records: readRecords(db, TOPICS.samples, (found.settled ?? -1) + 1, limits),
    };
  });
}
