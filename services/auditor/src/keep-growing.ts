import { setTimeout as sleep } from 'node:timers/promises';
import { EventWatch, growLedger } from '@residency/auditing';
import type {
  AuditSource,
  Finding,
  LedgerProgress,
  LedgerStore,
  RegionIndex,
} from '@residency/auditing';
import { codeOf, remedyOf } from '@residency/coded-error';
import type { Signer } from '@residency/ledger';
import type { LedgerMetrics, Logger } from '@residency/telemetry';

export interface GrowingTerms {
  readonly source: AuditSource;
  readonly store: LedgerStore;
  readonly signer: Signer;
  readonly regions: RegionIndex;
  readonly intervalMs: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly metrics: LedgerMetrics;
  /** Told of each error that is tried again, and `undefined` once it goes on. */
  readonly waits: (error: unknown) => void;
}

const FIRST_MS = 250;
const MOST_MS = 5_000;

/** Grows a partition's ledger until `signal` is aborted, again and again from what is published. Rejects with what needs a person. */
export async function keepGrowing(terms: GrowingTerms): Promise<void> {
  const { source, store, signer, intervalMs, now, signal, metrics } = terms;
  const watch = new EventWatch({
    log: source.log,
    partition: source.partition,
    regions: terms.regions,
    found: (finding) => {
      tell(terms, finding);
    },
  });
  let waitMs = FIRST_MS;
  const progress = (grown: LedgerProgress): void => {
    metrics.grown(source.partition, grown);
    if (!grown.current) return;
    waitMs = FIRST_MS;
    said(terms, undefined);
  };
  while (!signal.aborted) {
    try {
      await growLedger({
        source,
        store,
        signer,
        watch,
        intervalMs,
        now,
        until: 'aborted',
        signal,
        progress,
      });
    } catch (error) {
      if (remedyOf(error) !== 'retry') throw error;
      said(terms, error);
    }
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(MOST_MS, waitMs * 2);
  }
}

function said({ source, metrics, waits }: GrowingTerms, error: unknown): void {
  metrics.waits(source.partition, codeOf(error));
  waits(error);
}

function tell(
  { metrics, logger, source }: GrowingTerms,
  { kind, position, submission }: Finding,
): void {
  metrics.found(kind);
  const fields = {
    code: kind,
    position,
    partition: source.partition,
    ...(submission === undefined ? {} : { submission }),
  };
  // Each of the two placements is lawful: no person has to look at it.
  if (kind === 'ALSO_IN') logger.debug('A submission was also stored in another region.', fields);
  else
    logger.warn(
      'Something is wrong with the audit log; its record is in the ledger all the same.',
      fields,
    );
}
