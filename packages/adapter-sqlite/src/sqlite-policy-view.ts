import { TOPICS, readPolicyRecord } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import type { PolicyReading, PolicyView } from '@residency/routing';
import { unpackRecord } from './wire.ts';
import type { WireRecord } from './wire.ts';
import type { WorkerClient } from './worker-client.ts';

/** Policy versions as the embedded log has them; versions once read are kept, so that a reading asks for new ones only. */
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
    for (const record of records) this.#add(record);
    return { watermark, versions: this.#versions };
  }

  /** How many records of the policy log were no policy version, of those read so far. */
  skipped(): number {
    return this.#skipped;
  }

  #add(record: WireRecord): void {
    // Of two readings at once, both bring the same records.
    if (record.offset < this.#next) return;
    this.#next = record.offset + 1;
    const version = readPolicyRecord(unpackRecord(TOPICS.policy, record));
    if (version === undefined) this.#skipped += 1;
    else this.#versions = [...this.#versions, version];
  }
}
