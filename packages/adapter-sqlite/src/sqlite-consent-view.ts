import type { ConsentReading, ConsentView } from '@residency/routing';
import type { WorkerClient } from './worker-client.ts';

/** Consents as the embedded log has them: read up to its end at every reading, so its watermark is never behind. */
export class SqliteConsentView implements ConsentView {
  readonly #worker: WorkerClient;

  constructor(worker: WorkerClient) {
    this.#worker = worker;
  }

  async read(consentIds: readonly string[]): Promise<ConsentReading> {
    const { watermark, histories } = await this.#worker.call('consents', [consentIds]);
    return { watermark, histories: new Map(histories) };
  }

  /** How many records of the consent log could not be read so far; each one wants a person to look at its publisher. */
  async skipped(): Promise<number> {
    return (await this.#worker.call('consents', [[]])).skipped;
  }
}
