import { randomUUID } from 'node:crypto';
import { Retention } from '@residency/reconciliation';
import type { OverdueSamples, RetentionDeps } from '@residency/reconciliation';
import type { Logger, ReconcilerMetrics } from '@residency/telemetry';
import { newSalt } from './new-salt.ts';

export interface RetentionReporterDeps extends Pick<
  RetentionDeps,
  'mode' | 'now' | 'erasures' | 'append'
> {
  readonly logger: Pick<Logger, 'warn'>;
  readonly metrics: Pick<ReconcilerMetrics, 'overdue'>;
}

/** Orders the erasure of samples past their time, or says once for each region that there are some. */
export class RetentionReporter {
  readonly #deps: RetentionReporterDeps;
  #said: ReadonlySet<string> = new Set();

  constructor(deps: RetentionReporterDeps) {
    this.#deps = deps;
  }

  /** For one run. Rejects with the logs' errors. */
  async begin(policies: RetentionDeps['policies']): Promise<Retention> {
    return await Retention.begin({ ...this.#deps, policies, act: randomUUID, salt: newSalt });
  }

  /** At the end of the run. */
  ended(found: readonly OverdueSamples[]): void {
    const { logger, metrics } = this.#deps;
    metrics.overdue(found);
    const proposed = found.filter(({ unordered }) => unordered > 0);
    for (const { region, unordered } of proposed)
      if (!this.#said.has(region))
        logger.warn(
          'Samples are stored for longer than the policy keeps them. Set RESIDENCY_RETENTION=auto to have their erasure ordered.',
          { region, records: unordered },
        );
    this.#said = new Set(proposed.map(({ region }) => region));
  }
}
