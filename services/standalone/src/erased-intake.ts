import type { SqliteLog } from '@residency/adapter-sqlite';
import { SAMPLE_ERASED, custodyEventIn, custodyTopic } from '@residency/contracts';
import type { PolicyView } from '@residency/routing';

/** Deletes the intake log's copies of erased samples, which its retention would keep for a while. */
export class ErasedIntake {
  readonly #log: SqliteLog;
  readonly #policies: PolicyView;
  /** What was read of each region's custody log. */
  readonly #next = new Map<string, bigint>();

  constructor(log: SqliteLog) {
    this.#log = log;
    this.#policies = log.policyView();
  }

  /**
   * Of every erasure since the last call that succeeded; the first call, of all. Rejects with the
   * log's errors.
   */
  async drop(): Promise<void> {
    const { versions } = await this.#policies.read();
    const regions = versions.flatMap(({ document }) => document.regions.map(({ id }) => id));
    for (const region of new Set(regions)) {
      let next = this.#next.get(region) ?? 0n;
      const erased = [];
      for await (const { offset, value } of this.#log.read(custodyTopic(region), { from: next })) {
        const event = custodyEventIn(value);
        if (event?.type === SAMPLE_ERASED) erased.push(event.data);
        next = offset + 1n;
      }
      if (erased.length > 0) await this.#log.dropErased(erased);
      this.#next.set(region, next);
    }
  }
}
