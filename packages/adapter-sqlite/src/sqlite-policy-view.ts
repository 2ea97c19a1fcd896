import { TOPICS } from '@residency/contracts/log-record';
import type * as PolicyEvents from '@residency/contracts/policy-event';
import type { PolicyPublished } from '@residency/residency';
import type { PolicyReading, PolicyView } from '@residency/routing';
import { unpackRecord } from './wire.ts';
import type { WireRecord } from './wire.ts';
import type { WorkerClient } from './worker-client.ts';

/**
 * Policy versions from the embedded log. Versions are cached, so each read asks only for new ones.
 */
export class SqlitePolicyView implements PolicyView {
  readonly #worker: WorkerClient;
  #versions: readonly PolicyPublished[] = [];
  #next = 0;
  #skipped = 0;

  constructor(worker: WorkerClient) {
    this.#worker = worker;
  }

  async read(): Promise<PolicyReading> {
    const { watermark, records } = await this.#worker.call('policies', [this.#next]);
    // Loaded with the first read: a process that only appends needs no validator.
    const events = await import('@residency/contracts/policy-event');
    for (const record of records) this.#add(record, events);
    return { watermark, versions: this.#versions };
  }

  /** The number of records read so far that were neither a policy version nor a tick. */
  skipped(): number {
    return this.#skipped;
  }

  #add(record: WireRecord, { readPolicyRecord, isPolicyTick }: typeof PolicyEvents): void {
    // Two concurrent reads may return the same records.
    if (record.offset < this.#next) return;
    this.#next = record.offset + 1;
    const unpacked = unpackRecord(TOPICS.policy, record);
    const version = readPolicyRecord(unpacked);
    if (version === undefined) this.#skipped += isPolicyTick(unpacked) ? 0 : 1;
    else this.#versions = [...this.#versions, version];
  }
}
