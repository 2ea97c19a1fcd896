import type { CustodyTopic } from '@residency/contracts';
import { Appender } from './appending.ts';
import type { ClockReading } from './clock.ts';
import type { Database } from './database.ts';
import { extent } from './reading.ts';
import { requireEnd } from './require-end.ts';
import type { WireEntry } from './wire.ts';

export interface WireCustody {
  readonly topic: CustodyTopic;
  /** The end of the custody log after this owner's last step. */
  readonly from: number;
  readonly entries: readonly WireEntry[];
}

/**
 * Makes the caller the log's only owner: the opening takes an offset, so the end that every earlier
 * owner expects is not the end any more. Returns the new end.
 */
export function openCustody(db: Database, topic: CustodyTopic): number {
  return db.writing(() => {
    db.run('INSERT INTO topic (name) VALUES (?) ON CONFLICT (name) DO NOTHING', topic);
    db.run('UPDATE topic SET next = next + 1 WHERE name = ?', topic);
    return extent(db, topic).next;
  });
}

/** Appends all entries or none. Returns the new end. Throws `FENCED` if the log has another end. */
export function appendCustody(
  db: Database,
  { topic, from, entries }: WireCustody,
  clock: ClockReading,
): number {
  return db.writing(() => {
    requireEnd(db, topic, from);
    const appender = new Appender(db, clock);
    for (const entry of entries) appender.append(entry);
    appender.finish();
    return extent(db, topic).next;
  });
}
