import { LeafWatch, growLedger } from '@residency/auditing';
import type {
  LedgerSource,
  AuditAnomaly,
  KeptCheckpoints,
  LedgerProgress,
  LedgerStore,
  RegionIndex,
} from '@residency/auditing';
import { codeOf, remedyOf } from '@residency/coded-error';
import { defined } from '@residency/defined';
import type { LedgerKeys } from '@residency/ledger';
import type { LedgerMetrics, Logger } from '@residency/telemetry';
import { pause } from '@residency/waiting';

export interface KeepGrowingDeps
  extends Pick<LedgerKeys, 'signer' | 'cosigner'>, Partial<Pick<LedgerKeys, 'former'>> {
  readonly source: LedgerSource;
  readonly store: LedgerStore;
  readonly kept: KeptCheckpoints;
  readonly generation?: number;
  /** For the audit log; custody logs need none. */
  readonly regions?: RegionIndex;
  readonly intervalMs: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly metrics: LedgerMetrics;
  /** Called with each error before a retry, and with `undefined` once growing continues. */
  readonly waits: (error: unknown) => void;
}

const FIRST_MS = 250;
const MOST_MS = 5_000;

/**
 * Grows a log's ledger until `signal` is aborted; after a failure it starts again from the
 * published ledger. Rejects with an error that needs a person.
 */
export async function keepGrowing(deps: KeepGrowingDeps): Promise<void> {
  const { source, signal, metrics } = deps;
  const watch = new LeafWatch({
    log: source.log,
    of: source.of,
    ...defined({ regions: deps.regions }),
    onAnomaly: (anomaly) => {
      reportAnomaly(deps, anomaly);
    },
  });
  let waitMs = FIRST_MS;
  const progress = (grown: LedgerProgress): void => {
    metrics.grown(source.of, grown);
    if (!grown.current) return;
    waitMs = FIRST_MS;
    reportWait(deps, undefined);
  };
  while (!signal.aborted) {
    try {
      await growLedger({ ...deps, watch, until: 'aborted', progress });
    } catch (error) {
      if (remedyOf(error) !== 'retry') {
        metrics.waits(source.of, codeOf(error));
        throw error;
      }
      reportWait(deps, error);
    }
    await pause(waitMs, signal);
    waitMs = Math.min(MOST_MS, waitMs * 2);
  }
}

function reportWait({ source, metrics, waits }: KeepGrowingDeps, error: unknown): void {
  metrics.waits(source.of, codeOf(error));
  waits(error);
}

function reportAnomaly(
  { metrics, logger, source }: KeepGrowingDeps,
  { kind, position, submission }: AuditAnomaly,
): void {
  metrics.found(source.of.topic, kind);
  const fields = {
    code: kind,
    position,
    ...source.of,
    ...defined({ submission }),
  };
  // Each of the two placements is lawful, so nobody has to act.
  if (kind === 'ALSO_IN') logger.debug('A submission was also stored in another region.', fields);
  else
    logger.warn('Something is wrong with a log; its record is in the ledger all the same.', fields);
}
