import type { ConsentReading, ConsentView } from '@residency/routing';
import type { WorkerClient } from './worker-client.ts';

/**
 * Consents from the embedded log. Every read first catches up with the log, so its watermark is
 * never behind.
 */
export class SqliteConsentView implements ConsentView {
  readonly #worker: WorkerClient;

  constructor(worker: WorkerClient) {
    this.#worker = worker;
  }

  async read(consentIds: readonly string[]): Promise<ConsentReading> {
    const { watermark, histories } = await this.#worker.call('consents', [consentIds]);
    return { watermark, histories: new Map(histories) };
  }

  /**
   * The number of records of the consent log that could not be read so far. A person should look at
   * the publisher of each.
   */
  async skipped(): Promise<number> {
    return (await this.#worker.call('consents', [[]])).skipped;
  }
}
