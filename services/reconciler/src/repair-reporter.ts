import { randomUUID } from 'node:crypto';
import { orderRepairs } from '@residency/reconciliation';
import type {
  PolicyBook,
  RepairLogs,
  RepairMode,
  RepairableCopies,
} from '@residency/reconciliation';
import type { Logger, ReconcilerMetrics } from '@residency/telemetry';
import { newSalt } from './new-salt.ts';

export interface RepairReporterDeps {
  readonly mode: RepairMode;
  /** `regions`: those of all valid policy versions; their custody logs are read. */
  readonly logs: (regions: () => Iterable<string>) => RepairLogs;
  readonly logger: Logger;
  readonly metrics: Pick<ReconcilerMetrics, 'repairs'>;
}

/** Orders the repair of sites, or says once which command does. */
export class RepairReporter {
  readonly #deps: RepairReporterDeps;
  #said = new Map<string, string>();

  constructor(deps: RepairReporterDeps) {
    this.#deps = deps;
  }

  /** Rejects with the logs' errors; the next run finds the same copies. */
  async found(copies: RepairableCopies, { regions }: Pick<PolicyBook, 'regions'>): Promise<void> {
    const { mode, logs, logger, metrics } = this.#deps;
    const repairs = await orderRepairs(
      copies,
      logs(() => regions.keys()),
      {
        mode,
        regions,
        act: randomUUID,
        salt: newSalt,
      },
    );
    metrics.repairs(repairs);
    for (const { site, region, state } of repairs)
      if (this.#said.get(site) !== state || state === 'ordered')
        logger.warn(LINES[state], { site, region });
    this.#said = new Map(repairs.map(({ site, state }) => [site, state]));
  }
}

const LINES = {
  ordered: 'A site lacks copies or has damaged ones; its repair was ordered.',
  open: 'A site lacks copies or has damaged ones; its repair is ordered already.',
  proposed:
    'A site lacks copies or has damaged ones. Order its repair: residency site repair SITE.',
} as const;
