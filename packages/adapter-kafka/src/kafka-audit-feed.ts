import { TOPICS } from '@residency/contracts';
import type { LogRecord, Topic } from '@residency/contracts';
import type { AuditFeed, AuditFeedRecord } from '@residency/custodianship';

export interface KafkaAuditFeedDeps {
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

  constructor(deps: KafkaAuditFeedDeps) {
    this.#deps = deps;
  }

  async partitions(): Promise<readonly number[]> {
    return await this.#deps.partitions(TOPICS.audit);
  }

  async *read(partition: number, from: bigint): AsyncGenerator<AuditFeedRecord> {
    for await (const records of this.#deps.read(TOPICS.audit, partition, from))
      for (const { offset, value } of records) yield { offset, value };
  }
}
