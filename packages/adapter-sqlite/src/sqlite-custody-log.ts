import type { AuditRecord, CustodyRestorer } from '@residency/auditing';
import { custodyEntryOf, custodyTopic, restoredCustodyEntry } from '@residency/contracts';
import type { CustodyEntry, CustodyTopic, TopicPartition } from '@residency/contracts';
import type { CustodyLog, CustodyRecord } from '@residency/custodianship';
import type { WallClock } from './clock.ts';
import { custodyBatches, custodyRecords } from './custody-records.ts';
import type { ReadTopic } from './read-topic.ts';
import { packEntries } from './wire.ts';
import type { WorkerClient } from './worker-client.ts';

export interface SqliteCustodyLogDeps {
  readonly log: string;
  readonly worker: WorkerClient;
  readonly clock: WallClock;
  readonly read: ReadTopic;
}

/** No end of a log: a closed owner appends nothing. */
const CLOSED = -1;

/** A region's custody log in the embedded log. Each append is conditional on the log's end. */
export class SqliteCustodyLog implements CustodyLog, CustodyRestorer {
  readonly log: string;
  readonly region: string;
  readonly of: TopicPartition;
  readonly #deps: SqliteCustodyLogDeps;
  readonly #topic: CustodyTopic;
  #end: number;

  private constructor(deps: SqliteCustodyLogDeps, region: string, end: number) {
    this.log = deps.log;
    this.region = region;
    this.#deps = deps;
    this.#topic = custodyTopic(region);
    this.of = { topic: this.#topic, partition: 0 };
    this.#end = end;
  }

  static async open(deps: SqliteCustodyLogDeps, region: string): Promise<SqliteCustodyLog> {
    const end = await deps.worker.call('openCustody', [custodyTopic(region)]);
    return new SqliteCustodyLog(deps, region, end);
  }

  read(from?: bigint): AsyncIterable<CustodyRecord> {
    return custodyRecords(this.#deps.read, this.#topic, from);
  }

  records(): AsyncIterable<readonly AuditRecord[]> {
    return custodyBatches(this.#deps.read, this.#topic);
  }

  async append(values: readonly Buffer[]): Promise<bigint> {
    await this.#append(values.map((value) => custodyEntryOf(value, this.region)));
    return BigInt(this.#end) - 1n;
  }

  async restore(values: readonly Buffer[]): Promise<void> {
    await this.#append(values.map((value) => restoredCustodyEntry(value, this.region)));
  }

  async #append(entries: readonly CustodyEntry[]): Promise<void> {
    const { packed, buffer } = packEntries(entries);
    const { worker, clock } = this.#deps;
    this.#end = await worker.call(
      'appendCustody',
      [{ topic: this.#topic, from: this.#end, entries: packed }, clock.read()],
      [buffer],
    );
  }

  async confirm(): Promise<void> {
    await this.#append([]);
  }

  close(): Promise<void> {
    this.#end = CLOSED;
    return Promise.resolve();
  }
}
