import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { Database } from './database.ts';
import type { WireEntry } from './wire.ts';

// A record's decision reads consents and policies up to its append time T (DESIGN §3). If one appended later could get
// the same T, it would change a decision already made. So these two topics move the clock on: what was appended
// before them has a smaller time, what comes after has the same or a larger one, and order in time is order in the log.
const MOVES_CLOCK: ReadonlySet<Topic> = new Set([TOPICS.consents, TOPICS.policy]);

/** Where a record came to stand. */
export interface Appended {
  readonly offset: number;
  readonly at: number;
}

/**
 * Appends within the caller's write transaction, and gives append times: never less than any given before, whatever
 * the system's clock does, on all topics together. Nothing counts before `finish`.
 */
export class Appender {
  readonly #db: Database;
  readonly #now: number;
  #lastAt: number;
  readonly #topics = new Map<Topic, { readonly id: number; next: number }>();

  constructor(db: Database, now: number) {
    this.#db = db;
    this.#now = now;
    this.#lastAt = db.get<{ last_at: number }>('SELECT last_at FROM meta')?.last_at ?? 0;
  }

  append({ topic, submission, headers, key, value }: WireEntry): Appended {
    const place = this.#place(topic);
    const at = Math.max(this.#now, MOVES_CLOCK.has(topic) ? this.#lastAt + 1 : this.#lastAt);
    const offset = place.next;
    this.#db.run(
      'INSERT INTO record (topic, "offset", at, submission, headers, key, value) VALUES (?, ?, ?, ?, ?, ?, ?)',
      place.id,
      offset,
      at,
      submission,
      headers,
      key,
      value,
    );
    this.#lastAt = at;
    place.next += 1;
    return { offset, at };
  }

  finish(): void {
    this.#db.run('UPDATE meta SET last_at = ?', this.#lastAt);
    for (const { id, next } of this.#topics.values())
      this.#db.run('UPDATE topic SET next = ? WHERE id = ?', next, id);
  }

  #place(topic: Topic): { readonly id: number; next: number } {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const place = this.#db.get<{ id: number; next: number }>(
      'SELECT id, next FROM topic WHERE name = ?',
      topic,
    );
    if (place === undefined) throw new TypeError('Expected a topic of this log.');
    this.#topics.set(topic, place);
    return place;
  }
}

/** One caller's entries: all of them or none. */
export function appendAll(db: Database, entries: readonly WireEntry[], now: number): Appended[] {
  return db.writing(() => {
    const appender = new Appender(db, now);
    const appended = entries.map((entry) => appender.append(entry));
    appender.finish();
    return appended;
  });
}
