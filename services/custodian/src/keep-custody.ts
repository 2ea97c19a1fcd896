import { codeOf } from '@residency/coded-error';
import { Custodian } from '@residency/custodianship';
import type { AccessDesk, CustodianDeps, RoundReport } from '@residency/custodianship';
import { registerKeeping } from './register-keeping.ts';
import type { KeptRegister } from './register-keeping.ts';
import type { CustodianMetrics, Logger } from '@residency/telemetry';
import { atMost, pause } from '@residency/waiting';

export interface KeepCustodyDeps extends Omit<
  CustodianDeps,
  'closed' | 'copied' | 'differs' | 'erased' | 'lost' | 'register' | 'tookOver'
> {
  /** Where the register is kept. Absent: nowhere, so each start reads both logs from their start. */
  readonly register?: KeptRegister;
  /** From the end of one round without copies to the next, milliseconds. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly metrics: CustodianMetrics;
  /** Called after each round. */
  readonly rounded?: () => void | Promise<void>;
  /** Called when this is the active custodian. Returns what is called when it is not any more. */
  readonly active?: (region: string, desk: AccessDesk) => () => void;
}

/** Most lines of this kind: a foreign writer must not log a million of them. */
const MOST_LINES = 1_000;
/** A disk that hangs must not hold up the end, nor the next custodian. */
const KEEP_WITHIN_MS = 10_000;

/**
 * Pays the debts of one region until `signal` is aborted. Rejects with the errors of `Custodian`;
 * then open the custody log again and start anew.
 */
export async function keepCustody(deps: KeepCustodyDeps): Promise<void> {
  const { custody, logger, metrics, signal, elapsed, register, ...rest } = deps;
  let differing = 0;
  const since = elapsed();
  const custodian = await Custodian.begin({
    ...rest,
    custody,
    elapsed,
    ...(register === undefined ? {} : { register: registerKeeping(deps, register) }),
    tookOver: (takeOver) => {
      metrics.tookOver(custody.region, { seconds: (elapsed() - since) / 1e3, ...takeOver });
    },
    copied: ({ copy: { site }, order }) => {
      metrics.copied(site, order === undefined ? 'owed' : 'repair');
    },
    closed: ({ site, unpaid, refused }) => {
      metrics.closed(
        site,
        refused === undefined ? (unpaid === 0 ? 'whole' : 'incomplete') : 'refused',
      );
    },
    erased: () => {
      metrics.erased(custody.region);
    },
    lost: () => {
      metrics.lost(custody.region);
    },
    differs: (copy) => {
      differing += 1;
      if (differing <= MOST_LINES)
        logger.error(
          'A custody event names another ciphertext than the stored event; the copy counts as owed. See who else may write to the custody log.',
          { ...copy, region: custody.region, code: 'COPY_DIFFERS' },
        );
    },
  });
  // Only the active custodian says what is owed.
  const ended = metrics.region(custody.region, () => custodian.report());
  const inactive = deps.active?.(custody.region, custodian.accesses);
  const reported = new Map<string, string | undefined>();
  let waitsFor: readonly string[] = [];
  try {
    while (!signal.aborted) {
      const report = await custodian.round(signal);
      metrics.round(custody.region);
      await deps.rounded?.();
      reportSites(deps, report, reported);
      waitsFor = reportLosses(deps, report, waitsFor);
      if (!report.busy) await pause(deps.intervalMs, signal);
    }
  } finally {
    inactive?.();
    ended();
    await atMost(KEEP_WITHIN_MS, custodian.keep());
  }
}

/** One log line for each change of why a site gets no copies. */
function reportSites(
  { logger, custody: { region } }: KeepCustodyDeps,
  { debts, waiting }: RoundReport,
  reported: Map<string, string | undefined>,
): void {
  for (const site of debts.keys()) {
    const error = waiting.get(site);
    const code = codeOf(error);
    if (reported.get(site) === code) continue;
    reported.set(site, code);
    if (code === undefined)
      logger.info('The site gets the copies that it lacks.', { site, region });
    else logger.warn('The site lacks copies, which cannot be made now.', { site, region, error });
  }
}

/** One log line for each site that samples to be given up begin to wait for. Returns all of them. */
function reportLosses(
  { logger, custody: { region } }: KeepCustodyDeps,
  { losses: { sites } }: RoundReport,
  before: readonly string[],
): readonly string[] {
  for (const site of sites)
    if (!before.includes(site))
      logger.warn(
        'Samples that a person gave up wait for a site: it does not answer, is out of service, or has the object of a record that is not settled. It may have them.',
        { region, site },
      );
  return sites;
}
