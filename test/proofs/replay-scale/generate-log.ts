import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { consentCloudEvent, consentEntry, readPolicy } from '@residency/contracts';
import { FIRST_POLICY, openDataDirectory } from '@residency/standalone';
import { EventGenerator, TERMS, consentOf } from './generated-events.ts';
import { SALT } from '@residency/testkit';

export interface GeneratedLog {
  readonly events: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** The number of events under one consent. */
const EVENTS_A_CONSENT = 20;
/** Records come after the consents, so that consent was given. */
const HOUR_MS = 3_600_000;

/**
 * Creates a data directory with `events` audit events about records whose retention is over, and
 * their consents. It writes the database directly, because routing a million samples would take a
 * day.
 */
export async function generateLog(directory: string, events: number): Promise<GeneratedLog> {
  const startedAt = performance.now();
  const consents = Math.max(1, Math.floor(events / EVENTS_A_CONSENT));
  const data = await openDataDirectory(directory);
  const { name } = data.log;
  try {
    for (let from = 0; from < consents; from += 1_000) {
      await data.log.append(
        Array.from({ length: Math.min(1_000, consents - from) }, (_, at) =>
          consentEntry(
            consentCloudEvent(
              {
                kind: 'granted',
                consentId: consentOf(from + at),
                purposes: ['threat-sample-sharing'],
                termsVersion: TERMS,
              },
              { id: randomUUID(), source: 'urn:test:replay-scale' },
            ),
            SALT,
          ),
        ),
      );
    }
  } finally {
    await data.close();
  }
  const generator = new EventGenerator({
    log: name,
    policy: readPolicy(await readFile(FIRST_POLICY)),
    since: Date.now() + HOUR_MS,
    consents,
  });
  const bytes = insertAll(join(directory, 'log.db'), events, generator);
  return { events, bytes, seconds: (performance.now() - startedAt) / 1_000 };
}

function insertAll(file: string, events: number, generator: EventGenerator): number {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA synchronous = OFF; BEGIN');
  const topic = db.prepare('SELECT id FROM topic WHERE name = ?').get('residency.audit') as {
    readonly id: number;
  };
  const insert = db.prepare(
    'INSERT INTO record (topic, "offset", at, submission, headers, key, value) VALUES (?, ?, ?, NULL, ?, NULL, ?)',
  );
  const now = Date.now();
  let bytes = 0;
  for (let offset = 0; offset < events; offset += 1) {
    const event = generator.event(offset);
    bytes += event.length;
    insert.run(topic.id, offset, now, '[]', event);
    if (offset % 100_000 === 99_999) db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE); BEGIN');
  }
  db.prepare('UPDATE topic SET next = ? WHERE id = ?').run(events, topic.id);
  db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  return bytes;
}
