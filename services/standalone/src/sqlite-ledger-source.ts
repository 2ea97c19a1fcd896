import type { SqliteLog } from '@residency/adapter-sqlite';
import type { LedgerRecord, LedgerSource, SourceStart } from '@residency/auditing';
import type { Topic, TopicPartition } from '@residency/contracts';
import { pause } from '@residency/waiting';

const POLL_MS = 250;
/** Records in a batch. Each has at most 16 KiB. */
const BATCH = 500;

/**
 * A topic of the embedded log. It has one partition. The offsets of a custody log have gaps, so a
 * record's offset is its leaf's index or a later one.
 */
export class SqliteLedgerSource implements LedgerSource {
  readonly log: string;
  readonly of: TopicPartition;
  readonly #log: Pick<SqliteLog, 'read'>;

  constructor(log: Pick<SqliteLog, 'name' | 'read'>, topic: Topic) {
    this.log = log.name;
    this.of = { topic, partition: 0 };
    this.#log = log;
  }

  async *follow(
    { leaf, offset }: SourceStart,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LedgerRecord[]> {
    let next = offset ?? BigInt(leaf);
    while (!signal.aborted) {
      let batch: LedgerRecord[] = [];
      for await (const record of this.#log.read(this.of.topic, { from: next, maxRecords: BATCH })) {
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
