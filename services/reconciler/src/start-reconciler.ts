import { StateFile } from '@residency/adapter-filesystem';
import {
  KafkaAuditTrail,
  demandTopics,
  openKafkaLog,
  publishedPolicies,
} from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { S3SiteReader, verifyS3Site } from '@residency/adapter-s3';
import { remedyOf } from '@residency/coded-error';
import { logLevelOf, sha256OfParts } from '@residency/contracts';
import { SharedWait, comeUp, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import { PolicyBook } from '@residency/reconciliation';
import { readSealedHeader } from '@residency/sealing';
import type { Logger, Metrics, ReconcilerMetrics } from '@residency/telemetry';
import type { Clock } from './clock.ts';
import type { ReconcilerSettings } from './config.ts';
import { keepReconciling } from './keep-reconciling.ts';
import { lookAtSites } from './look-at-sites.ts';
import { ReadBudget } from './read-budget.ts';
import { ReconcilerState } from './reconciler-state.ts';
import { StateKeeper, readState } from './state-keeper.ts';
import { Teller } from './teller.ts';

export interface ReconcilerDeps {
  readonly settings: ReconcilerSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

const STATE_FILE = 'reconciler-state';
/** From one look over all lists to the next, at least: so long, about, something may stand in the wrong place unseen. */
const RESURVEY_MS = 600_000;
/** A marker is some fifty bytes, and a site that hangs must not hold up the others for long. */
const QUICKLY = { attempts: 2, timeouts: { connectMs: 3_000, requestMs: 10_000 } };

/** Compares sites and audit log, pass after pass. One a state folder; several with folders of their own do the same work twice. */
export async function startReconciler(deps: ReconcilerDeps): Promise<RunningWork> {
  const {
    settings: { http },
    logger,
    metrics,
  } = deps;
  return await runWork({
    name: 'reconciling',
    http,
    logger,
    metrics,
    work: (context) => reconcileUntil(deps, context),
  });
}

async function reconcileUntil(
  deps: ReconcilerDeps,
  { signal: told, waits, started }: WorkContext,
): Promise<void> {
  const { settings, logger, clock } = deps;
  const failed = new AbortController();
  const signal = AbortSignal.any([told, failed.signal]);
  const sites = settings.readers.map(({ site }) => site);
  const metrics = deps.metrics.reconciling(sites);
  const readers = openReaders(deps, signal);
  const kafka = { ...settings.kafka, clientId: 'residency-reconciler' };
  const log = await comeUp(() => openKafkaLog(kafka, logger), { signal, waits });
  try {
    const waiting = new SharedWait(waits);
    const store = new StateFile(settings.reconciling.stateDirectory, STATE_FILE);
    await comeUp(() => demandTopics(kafka, logger), { signal, waits });
    const state = await comeUp(() => openState(deps, log, store, metrics), { signal, waits });
    log.controlView((control) => {
      logger.setLevel(logLevelOf(control, 'reconciler'));
    });
    waits(undefined);
    const keeper = new StateKeeper({
      store,
      save: () => state.save(),
      told: (error) => {
        waiting.of('state', error);
        if (error !== undefined && remedyOf(error) !== 'retry') failed.abort(error);
      },
    });
    await keepReconciling({
      state,
      keeper,
      metrics,
      clock,
      signal,
      sites,
      started,
      readHeader: readSealedHeader,
      resurveyMs: RESURVEY_MS,
      pauseMs: settings.reconciling.pauseMs,
      teller: new Teller({
        state,
        logger,
        metrics,
        changed: () => {
          void keeper.now();
        },
      }),
      trail: () => new KafkaAuditTrail(() => Promise.resolve(log), signal),
      look: async () => {
        const policies = await PolicyBook.open(() => publishedPolicies(log, signal));
        return {
          policies,
          seen: await lookAtSites({
            settings: settings.readers,
            policies,
            reader: (site) => readers.of(site),
            verify: (one) => unlessAborted(verifyS3Site({ ...one, ...QUICKLY }), signal),
          }),
        };
      },
      waits: (what, error) => {
        waiting.of(what, error);
      },
      siteAway: (site, error) => {
        if (!signal.aborted) waiting.of(site, error);
      },
    });
    failed.signal.throwIfAborted();
  } finally {
    readers.close();
    await log.close();
  }
}

interface Readers {
  of(site: string): S3SiteReader;
  close(): void;
}

/** Once the signal is aborted they are closed: what is being read then is read again by the next process. */
function openReaders({ settings, metrics, clock }: ReconcilerDeps, signal: AbortSignal): Readers {
  const { requested: onRequest } = metrics.requests(settings.readers.map(({ site }) => site));
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

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(signal.reason);
  };
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
