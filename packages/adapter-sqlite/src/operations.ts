import { TOPICS } from '@residency/contracts/log-record';
import type { CustodyTopic, Topic } from '@residency/contracts';
import { hasCode } from '@residency/coded-error';
import { appendAll } from './appending.ts';
import type { Appended } from './appending.ts';
import { readAuditLookups } from './audit-lookup.ts';
import { findSubmission, readAudit } from './auditing.ts';
import type { AuditQuery } from './auditing.ts';
import type { ClockReading } from './clock.ts';
import type { WireCustody } from './custody.ts';
import type { Database } from './database.ts';
import { extent, lastAppend, nextOf, readRecord, readRecords, watermark } from './reading.ts';
import type { Extent, ReadLimits } from './reading.ts';
import { settle } from './settling.ts';
import type { WireRestoration } from './restoring.ts';
import type { WireSettlement } from './settling.ts';
import type { WireEntry, WireRecord } from './wire.ts';
import { packError } from './wire-error.ts';
import type { WireError } from './wire-error.ts';

/** The result of one caller's part in a group of appends. */
export type AppendResult =
  | { readonly appended: readonly Appended[] }
  | { readonly error: WireError };

/**
 * The operations of the worker. Everything that must be atomic is one operation. What decodes
 * events is loaded on demand: the thread starts in a fraction of the time without it.
 */
export function createOperations(db: Database) {
  return {
    name: () => db.get<{ name: string }>('SELECT name FROM meta')?.name ?? '',
    extent: (topic: Topic) => db.reading(() => extent(db, topic)),
    lastAt: () => lastAppend(db),
    append: (groups: readonly (readonly WireEntry[])[], clock: ClockReading) =>
      appendGroups(db, groups, clock),
    records: (topic: Topic, from: number, limits: ReadLimits) =>
      db.reading(() => readRecords(db, topic, from, limits)),
    record: (topic: string, offset: number) => readRecord(db, topic, offset),
    batch: (limits: ReadLimits) => readBatch(db, limits),
    settle: (settlement: WireSettlement, clock: ClockReading) => {
      settle(db, settlement, clock);
    },
    restore: async (restoration: WireRestoration, clock: ClockReading) => {
      (await import('./restoring.ts')).restore(db, restoration, clock);
    },
    openCustody: async (topic: CustodyTopic) =>
      (await import('./custody.ts')).openCustody(db, topic),
    appendCustody: async (custody: WireCustody, clock: ClockReading) =>
      (await import('./custody.ts')).appendCustody(db, custody, clock),
    consents: async (ids: readonly string[]) =>
      (await import('./consent-projection.ts')).readConsents(db, ids),
    policies: (from: number) =>
      db.reading(() => ({
        watermark: watermark(db),
        records: readRecords(db, TOPICS.policy, from, { maxRecords: -1, maxBytes: Infinity }),
      })),
    audit: (query: AuditQuery, start: number, limit: number) => readAudit(db, query, start, limit),
    auditLookups: (start: number, limit: number) => readAuditLookups(db, start, limit),
    outcome: async (offset: number) => {
      const { readOutcome } = await import('./found-outcome.ts');
      return db.reading(() => readOutcome(db, offset));
    },
    submission: (id: string) => findSubmission(db, id),
    beginRetention: async (clock: ClockReading) => {
      (await retention()).beginRetention(db, clock);
    },
    dropExpired: async (olderThan: number) => (await retention()).dropExpiredPortion(db, olderThan),
    dropLinks: async (consentIds: readonly string[]) =>
      (await retention()).dropLinks(db, consentIds),
    erase: async () => {
      (await retention()).eraseDeleted(db);
    },
    topicsToFollow: async () => (await erasing()).topicsToFollow(db),
    dropErased: async (topic: Topic) => (await erasing()).dropErasedPortion(db, topic),
    eraseDropped: async () => {
      (await erasing()).eraseDropped(db);
    },
  };
}

const retention = () => import('./retention.ts');
const erasing = () => import('./erasing.ts');

export type Operations = ReturnType<typeof createOperations>;
export type OperationName = keyof Operations;

/**
 * Appends the entries of all callers in one transaction, with one sync. If it fails, appends those
 * of each caller alone, so that no caller fails because of another.
 */
function appendGroups(
  db: Database,
  groups: readonly (readonly WireEntry[])[],
  clock: ClockReading,
): AppendResult[] {
  try {
    const appended = appendAll(db, groups.flat(), clock);
    let taken = 0;
    return groups.map(({ length }) => {
      taken += length;
      return { appended: appended.slice(taken - length, taken) };
    });
  } catch (error) {
    if (groups.length === 1 || hasCode(error, 'LOG_BUSY'))
      return groups.map(() => ({ error: packError(error) }));
    return groups.flatMap((group) => appendGroups(db, [group], clock));
  }
}

/**
 * The intake records after the last settled one, and the progress and the end of the control log at
 * the time of the read.
 */
function readBatch(
  db: Database,
  limits: ReadLimits,
): { readonly extent: Extent; readonly control: number; readonly records: WireRecord[] } {
  return db.reading(() => {
    const found = extent(db, TOPICS.samples);
    return {
      extent: found,
      control: nextOf(db, TOPICS.control),
      records: readRecords(db, TOPICS.samples, (found.settled ?? -1) + 1, limits),
    };
  });
}
