import type { Topic } from '@residency/contracts';
import type { Database } from './database.ts';
import { extent } from './reading.ts';
import { SqliteLogError } from './sqlite-log-error.ts';

/**
 * Makes an append conditional, within its write transaction. Throws `FENCED` if the topic's next
 * offset is not the one that the caller expects.
 */
export function requireEnd(db: Database, topic: Topic, expected: number): void {
  const { next } = extent(db, topic);
  if (next !== expected)
    throw new SqliteLogError({
      code: 'FENCED',
      message: `Expected ${topic} to end at ${expected}, found ${next}: another process opened it or appended. Nothing was appended; begin again.`,
      remedy: 'retry',
    });
}
