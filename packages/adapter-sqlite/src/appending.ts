import { TOPICS } from '@residency/contracts/log-record';
import type { Topic } from '@residency/contracts';
import { clockAhead, clockBehind, judgeClock } from './clock.ts';
import type { ClockReading } from './clock.ts';
import type { Database } from './database.ts';
import type { WireEntry } from './wire.ts';

// A record's decision reads consents and policies up to its append time T (DESIGN §3). If one
// appended later could get the same T, it would change a decision already made. So a record of
// these two topics advances the clock: earlier records have a smaller time, later ones the same or
// a larger time. The order in time then equals the order in the log.
const MOVES_CLOCK: ReadonlySet<Topic> = new Set([TOPICS.consents, TOPICS.policy]);

// If the log's time is far ahead of the clock, a sample would be decided for a wrong time, and a
// policy would count as retroactive. Consents are accepted: a withdrawal must not wait, and it
// comes after all earlier records.
const NEEDS_TIME: ReadonlySet<Topic> = new Set([TOPICS.samples, TOPICS.policy]);

/** The position and append time of an appended record. */
export interface Appended {
  readonly offset: number;
  readonly at: number;
}

/**
 * Appends within the caller's write transaction and assigns append times. An append time is never
 * less than an earlier one, over all topics together, even if the system's clock goes back. Nothing
 * counts before `finish`. Throws `CLOCK_AHEAD` and `CLOCK_BEHIND` (retry).
 */
export class Appender {
  readonly #db: Database;
  readonly #clock: ClockReading;
  #lastAt: number;
  readonly #topics = new Map<Topic, { readonly id: number; next: number }>();

  constructor(db: Database, clock: ClockReading) {
    this.#db = db;
    this.#clock = clock;
    this.#lastAt = db.get<{ last_at: number }>('SELECT last_at FROM meta')?.last_at ?? 0;
  }

  append({ topic, submission, headers, key, value }: WireEntry): Appended {
    const place = this.#place(topic);
    const at = Math.max(
      this.#nowFor(topic),
      MOVES_CLOCK.has(topic) ? this.#lastAt + 1 : this.#lastAt,
    );
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

  /**
   * A control event must take effect even if the clock is wrong. So its append time does not depend
   * on the clock.
   */
  #nowFor(topic: Topic): number {
    const state = judgeClock(this.#clock, this.#lastAt);
    if (state === 'ahead' && topic === TOPICS.control) return this.#lastAt;
    if (state === 'ahead') throw clockAhead(this.#clock, this.#lastAt);
    if (state === 'behind' && NEEDS_TIME.has(topic)) throw clockBehind(this.#clock, this.#lastAt);
    return this.#clock.now;
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

/** The entries of one caller: all or none. */
export function appendAll(
  db: Database,
  entries: readonly WireEntry[],
  clock: ClockReading,
): Appended[] {
  return db.writing(() => {
    const appender = new Appender(db, clock);
    const appended = entries.map((entry) => appender.append(entry));
    appender.finish();
    return appended;
  });
}
