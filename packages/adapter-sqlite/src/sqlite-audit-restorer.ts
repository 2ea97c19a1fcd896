import type { AuditRecord, AuditRestorer, RestoredEntry } from '@residency/auditing';
import { TOPICS, auditEntryOf } from '@residency/contracts';
import type { LogRecord, TopicPartition } from '@residency/contracts';
import { lookupOf } from './audit-lookup.ts';
import type { WallClock } from './clock.ts';
import type { ReadTopic } from './read-topic.ts';
import { packEntries } from './wire.ts';
import type { WorkerClient } from './worker-client.ts';

export interface SqliteAuditRestorerDeps {
  readonly log: string;
  readonly worker: WorkerClient;
  readonly clock: WallClock;
  readonly read: ReadTopic;
}

/**
 * The embedded audit log's one partition. Exclusive only under the routing lock, which the caller
 * holds (`acquireRoutingLock`). It makes room for the intake records that entries are about.
 */
export class SqliteAuditRestorer implements AuditRestorer {
  readonly log: string;
  readonly of: TopicPartition = { topic: TOPICS.audit, partition: 0 };
  readonly #deps: SqliteAuditRestorerDeps;

  constructor(deps: SqliteAuditRestorerDeps) {
    this.log = deps.log;
    this.#deps = deps;
  }

  async *records(): AsyncGenerator<readonly AuditRecord[]> {
    for await (const record of this.#deps.read(TOPICS.audit, {})) yield [record];
  }

  async committed(): Promise<bigint | null> {
    const { settled } = await this.#deps.worker.call('extent', [TOPICS.samples]);
    return settled === null ? null : BigInt(settled) + 1n;
  }

  intake(from: bigint): AsyncIterable<LogRecord> {
    return this.#deps.read(TOPICS.samples, { from });
  }

  intakeEnd(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async append(entries: readonly RestoredEntry[], next: bigint | null): Promise<void> {
    const { worker, clock } = this.#deps;
    const { next: from } = await worker.call('extent', [TOPICS.audit]);
    const { packed, buffer } = packEntries(entries.map(auditEntryOf));
    await worker.call(
      'restore',
      [
        {
          from,
          settled: next === null ? null : Number(next) - 1,
          entries: packed.map((entry, index) => {
            const event = entries[index]?.event;
            return { entry, lookup: event === undefined ? undefined : lookupOf(event) };
          }),
        },
        clock.read(),
      ],
      [buffer],
    );
  }
}
