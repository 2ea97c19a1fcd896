import { TOPICS } from '@residency/contracts';
import type { LogRecord, Topic } from '@residency/contracts';
import type { AuditFeed, AuditFeedRecord } from '@residency/custodianship';

export interface KafkaAuditFeedDeps {
  /** The end of a partition, over a connection that is open already. */
  readonly end: (topic: Topic, partition: number) => Promise<bigint>;
  readonly partitions: (topic: Topic) => Promise<readonly number[]>;
  /** A partition's committed records, up to its end at the call. */
  readonly read: (
    topic: Topic,
    partition: number,
    from: bigint,
  ) => AsyncIterable<readonly LogRecord[]>;
}

/**
 * The audit topic, read committed. Transactions open at the call are awaited. Throws
 * `OFFSET_OUT_OF_RANGE` (stop) if the topic has no such offset.
 */
export class KafkaAuditFeed implements AuditFeed {
  readonly #deps: KafkaAuditFeedDeps;
  /** Where the last whole reading of each partition ended. */
  readonly #read = new Map<number, { readonly end: bigint; readonly next: bigint }>();

  constructor(deps: KafkaAuditFeedDeps) {
    this.#deps = deps;
  }

  async partitions(): Promise<readonly number[]> {
    return await this.#deps.partitions(TOPICS.audit);
  }

  /**
   * A reading takes a connection of its own. So none is begun if the partition's end is where it was
   * before the last reading, which left nothing.
   */
  async *read(partition: number, from: bigint): AsyncGenerator<AuditFeedRecord> {
    const end = await this.#deps.end(TOPICS.audit, partition);
    const before = this.#read.get(partition);
    if (before?.end === end && before.next === from) return;
    let next = from;
    for await (const records of this.#deps.read(TOPICS.audit, partition, from))
      for (const { offset, value } of records) {
        yield { offset, value };
        next = offset + 1n;
      }
    this.#read.set(partition, { end, next });
  }
}
