import { TOPICS } from '@residency/contracts/log-record';
import type { AuditFeed, AuditFeedRecord } from '@residency/custodianship';
import type { ReadTopic } from './read-topic.ts';

/** The embedded audit log, which has one partition. */
export class SqliteAuditFeed implements AuditFeed {
  readonly #read: ReadTopic;

  constructor(read: ReadTopic) {
    this.#read = read;
  }

  partitions(): Promise<readonly number[]> {
    return Promise.resolve([0]);
  }

  async *read(partition: number, from: bigint): AsyncGenerator<AuditFeedRecord> {
    if (partition !== 0) return;
    for await (const { offset, value } of this.#read(TOPICS.audit, { from, until: 'end' }))
      yield { offset, value };
  }
}
