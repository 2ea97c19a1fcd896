import type { FetchedMessage } from '../kafkajs/record-batch.ts';
import { intakePosition } from '../submission-log/intake-reads.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import { readBatchAhead } from './point-reads.ts';

/** An audit event's bytes and the offset of its intake record. */
export interface AuditRow {
  readonly about: bigint;
  readonly value: Buffer;
}

export interface FoundAuditEvent {
  /**
   * `later`: the partition holds neither this event nor one about a later record; open transactions
   * are ignored. `none`: it holds one about a later record, but not this one.
   */
  readonly found: 'event' | 'later' | 'none';
  /** The events of the last fetch, including the requested one if it was found. */
  readonly rows: readonly AuditRow[];
}

/**
 * Finds the event about an intake offset in the audit partition of the same number. Events are in
 * the order of their records, so this is a binary search.
 */
export async function findAuditEvent(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  offset: bigint,
): Promise<FoundAuditEvent> {
  const start = (await connection.starts(topic)).get(partition) ?? 0n;
  let [low, high] = [start, (await connection.ends(topic)).get(partition) ?? 0n];
  // If the log lost its beginning and holds no event, the answer is unknown.
  let [earlier, later] = [start === 0n, false];
  while (low < high) {
    const middle = (low + high) / 2n;
    const { rows, next } = await rowsAhead(connection, topic, partition, middle);
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) {
      high = middle;
    } else if (offset < first.about) {
      [high, later] = [middle, true];
    } else if (offset > last.about) {
      [low, earlier] = [next, true];
    } else {
      return { found: rows.some(({ about }) => about === offset) ? 'event' : 'none', rows };
    }
  }
  return { found: earlier && !later ? 'later' : 'none', rows: [] };
}

/** Skips records that are not audit events: another writer wrote them. */
async function rowsAhead(
  connection: ClusterConnection,
  topic: string,
  partition: number,
  from: bigint,
): Promise<{ readonly rows: readonly AuditRow[]; readonly next: bigint }> {
  let next = from;
  for (;;) {
    const messages = await readBatchAhead(connection, topic, partition, next);
    const rows = messages.flatMap((message) => rowOf(message));
    const last = messages.at(-1);
    if (last !== undefined) next = BigInt(last.offset) + 1n;
    if (rows.length > 0 || last === undefined) return { rows, next };
  }
}

function rowOf({ value }: FetchedMessage): readonly AuditRow[] {
  const about = intakePosition(value)?.offset;
  return about === undefined || value === null ? [] : [{ about, value }];
}
