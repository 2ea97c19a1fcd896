import { StateFile } from '@residency/adapter-filesystem';
import { KafkaAuditTrail, openServiceLog, policyReading } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { S3SiteReader, verifyS3Site } from '@residency/adapter-s3';
import { remedyOf } from '@residency/coded-error';
import { NO_ERASURES, ServiceHistory, TOPICS, sha256OfParts, sitesOut } from '@residency/contracts';
import type { Erasures, LogEntry } from '@residency/contracts';
import { SharedWait, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import { PolicyBook } from '@residency/reconciliation';
import type { PolicyPublished } from '@residency/residency';
import { readSealedHeader } from '@residency/sealing';
import type { Logger, Metrics, ReconcilerMetrics } from '@residency/telemetry';
import { allOrNone, retryUntilReady, unlessAborted } from '@residency/waiting';
import type { Clock } from './clock.ts';
import type { ReconcilerSettings } from './config.ts';
import { keepReconciling } from './keep-reconciling.ts';
import type { KeepReconcilingDeps } from './keep-reconciling.ts';
import { RepairReporter } from './repair-reporter.ts';
import { RetentionReporter } from './retention-reporter.ts';
import { examineSites } from './examine-sites.ts';
import { ReadBudget } from './read-budget.ts';
import { ReconcilerState } from './reconciler-state.ts';
import { StateKeeper, readState } from './state-keeper.ts';
import { DifferenceReporter } from './difference-reporter.ts';

export interface ReconcilerDeps {
  readonly settings: ReconcilerSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

const STATE_FILE = 'reconciler-state';
/**
 * The least time between two surveys of all lists. A misplaced object may remain undetected for
 * about this long.
 */
const RESURVEY_MS = 600_000;
/**
 * Limits for reading a marker. A marker has some fifty bytes, and a site that hangs must not delay
 * the others for long.
 */
const QUICKLY = { attempts: 2, timeouts: { connectMs: 3_000, requestMs: 10_000 } };

/**
 * Compares sites and audit log, pass after pass. Run one for each state folder; several with
 * folders of their own repeat the same work.
 */
export async function startReconciler(deps: ReconcilerDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  return await runWork({
    name: 'reconciling',
    http: settings.http,
    logger,
    metrics,
    work: (context) => reconcileUntil(deps, context),
  });
}

async function reconcileUntil(
  deps: ReconcilerDeps,
  { signal, waits, started }: WorkContext,
): Promise<void> {
  const { settings, logger } = deps;
  const sites = settings.readers.map(({ site }) => site);
  const metrics = deps.metrics.reconciling(sites, [
    ...new Set(settings.readers.map(({ region }) => region)),
  ]);
  const { requested: onRequest } = deps.metrics.requests(sites);
  const { log } = await openServiceLog({
    service: 'reconciler',
    kafka: settings.kafka,
    logger,
    signal,
    waits,
  });
  try {
    const store = new StateFile(settings.reconciling.stateDirectory, STATE_FILE);
    const state = await retryUntilReady(() => openState(deps, log, store, metrics), {
      signal,
      waits,
    });
    waits(undefined);
    const waiting = new SharedWait(waits);
    // Ends with the passes, or rejects if the state cannot be saved.
    const keeping = Promise.withResolvers<void>();
    const keeper = new StateKeeper({
      store,
      save: () => state.save(),
      onSaved: (error) => {
        waiting.of('state', error);
        if (error !== undefined && remedyOf(error) !== 'retry') keeping.reject(error);
      },
    });
    await allOrNone(signal, (together) => [
      keeping.promise,
      passes(deps, {
        log,
        state,
        keeper,
        metrics,
        onRequest,
        waiting,
        started,
        signal: together,
      }).finally(keeping.resolve),
    ]);
  } finally {
    await log.close();
  }
}

interface Passes {
  readonly log: KafkaLog;
  readonly state: ReconcilerState;
  readonly keeper: StateKeeper;
  readonly metrics: ReconcilerMetrics;
  readonly onRequest: ReturnType<Metrics['requests']>['requested'];
  readonly waiting: SharedWait;
  readonly started: () => void;
  readonly signal: AbortSignal;
}

async function passes(
  deps: ReconcilerDeps,
  { log, state, keeper, metrics, onRequest, waiting, started, signal }: Passes,
): Promise<void> {
  const { settings, logger, clock } = deps;
  const readers = openReaders(deps, onRequest, signal);
  const control = log.controlView();
  const trail: KeepReconcilingDeps['trail'] = (regions) =>
    new KafkaAuditTrail({ log: () => Promise.resolve(log), regions, signal });
  const append = async (entries: readonly LogEntry[]): Promise<unknown> => {
    // What was read of the logs then is not all of them.
    signal.throwIfAborted();
    return await log.append(entries);
  };
  // Of the policies that a run goes by: what a later version says of the time after it is not known.
  let watermark = 0;
  const readPolicies = async (): Promise<readonly PolicyPublished[]> => {
    const reading = await policyReading(log, signal);
    ({ watermark } = reading);
    return reading.versions;
  };
  const erasures = async (): Promise<Erasures> =>
    (await control.readToEnd()).erasures ?? NO_ERASURES;
  const repairs = new RepairReporter({
    mode: settings.reconciling.repair,
    logs: (regions) => ({
      control: () => log.read(TOPICS.control, { until: 'end', signal }),
      custody: () => trail(regions).custody(),
      append,
    }),
    logger,
    metrics,
  });
  const retention = new RetentionReporter({
    mode: settings.reconciling.retention,
    now: () => Promise.resolve(Math.min(clock.now(), watermark)),
    erasures,
    append,
    logger,
    metrics,
  });
  try {
    await keepReconciling({
      state,
      keeper,
      metrics,
      clock,
      signal,
      sites: settings.readers.map(({ site }) => site),
      started,
      readHeader: readSealedHeader,
      resurveyMs: RESURVEY_MS,
      pauseMs: settings.reconciling.pauseMs,
      reporter: new DifferenceReporter({
        state,
        logger,
        metrics,
        onChange: () => {
          void keeper.now();
        },
      }),
      trail,
      onRepairable: (found, policies) => repairs.found(found, policies),
      services: () => ServiceHistory.read(log.read(TOPICS.control, { until: 'end', signal })),
      erasures,
      losses: async () => (await control.readToEnd()).losses ?? [],
      retention,
      examine: async () => {
        const policies = await PolicyBook.open(readPolicies);
        return {
          policies,
          seen: await examineSites({
            settings: settings.readers,
            policies,
            out: sitesOut(await control.readToEnd()),
            now: () => clock.monotonic(),
            reader: (site) => readers.of(site),
            verify: async (one) => {
              await unlessAborted(verifyS3Site({ ...one, ...QUICKLY }), signal);
              signal.throwIfAborted();
            },
          }),
        };
      },
      waits: (what, error) => {
        waiting.of(what, error);
      },
      onSiteUnreachable: (site, error) => {
        if (!signal.aborted) waiting.of(site, error);
      },
    });
  } finally {
    readers.close();
  }
}

interface Readers {
  of(site: string): S3SiteReader;
  close(): void;
}

/**
 * Closes the readers once the signal is aborted. Objects that are being read then are read again by
 * the next process.
 */
function openReaders(
  { settings, clock }: ReconcilerDeps,
  onRequest: Passes['onRequest'],
  signal: AbortSignal,
): Readers {
  const budget = new ReadBudget(settings.reconciling.readsPerSecond, clock);
  const readers = new Map(
    settings.readers.map((one) => [
      one.site,
      new S3SiteReader(one, { onRequest, before: () => budget.take(signal) }),
    ]),
  );
  const close = (): void => {
    for (const reader of readers.values()) reader.close();
  };
  signal.addEventListener('abort', close, { once: true });
  return {
    close,
    of: (site) => {
      const reader = readers.get(site);
      if (reader === undefined)
        throw new Error(`Expected a configured site, found ${site}: a defect.`);
      return reader;
    },
  };
}

async function openState(
  { settings, logger }: ReconcilerDeps,
  log: KafkaLog,
  store: StateFile,
  metrics: ReconcilerMetrics,
): Promise<ReconcilerState> {
  const owner = {
    log: log.name,
    cluster: log.clusterId,
    places: new Map(
      settings.readers.map(({ site, region, endpoint = '', awsRegion, bucket }) => [
        site,
        sha256OfParts(region, endpoint, awsRegion, bucket).slice(0, 32),
      ]),
    ),
  };
  const saved = await readState(store, owner, logger);
  const state = new ReconcilerState(owner, saved);
  const others = state.forgetOthers();
  if (others.length > 0)
    logger.warn('What was found in sites that are configured no more is forgotten.', {
      records: others.length,
    });
  metrics.recalled(state.last);
  metrics.open(state.open);
  return state;
}
