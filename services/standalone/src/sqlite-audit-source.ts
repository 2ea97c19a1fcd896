import type { SqliteLog } from '@residency/adapter-sqlite';
import type { AuditRecord, AuditSource, SourceStart } from '@residency/auditing';
import { TOPICS } from '@residency/contracts';
import { pause } from '@residency/waiting';

const POLL_MS = 250;
/** Records in a batch. Each has at most 16 KiB. */
const BATCH = 500;

/**
 * The embedded audit log. It has one partition and its offsets have no gaps, so a leaf's index is
 * its record's offset.
 */
export class SqliteAuditSource implements AuditSource {
  readonly log: string;
  readonly partition = 0;
  readonly #log: Pick<SqliteLog, 'read'>;

  constructor(log: Pick<SqliteLog, 'name' | 'read'>) {
    this.log = log.name;
    this.#log = log;
  }

  async *follow(
    { leaf }: SourceStart,
    signal: AbortSignal,
  ): AsyncGenerator<readonly AuditRecord[]> {
    let next = BigInt(leaf);
    while (!signal.aborted) {
      let batch: AuditRecord[] = [];
      for await (const record of this.#log.read(TOPICS.audit, { from: next, maxRecords: BATCH })) {
        batch.push(record);
        next = record.offset + 1n;
        if (batch.length < BATCH) continue;
        yield batch;
        if (signal.aborted) return;
        batch = [];
      }
      if (batch.length > 0) yield batch;
      yield [];
      await pause(POLL_MS, signal);
    }
  }
}
