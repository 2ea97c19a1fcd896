import { FilesystemLedgerStore, openLedgerDirectory } from '@residency/adapter-filesystem';
import { demandTopics, openKafkaLog } from '@residency/adapter-kafka';
import { S3LedgerStore } from '@residency/adapter-s3';
import { RecentRegions, ledgerOrigin } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { codeOf, remedyOf } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import { openSignerKey } from '@residency/ledger';
import { Health, comeUp, startOperations } from '@residency/operations';
import type { Service } from '@residency/operations';
import { createMetrics } from '@residency/telemetry';
import type { LedgerMetrics, Logger } from '@residency/telemetry';
import type { AuditorSettings } from './config.ts';
import { KafkaAuditSource } from './kafka-audit-source.ts';
import { keepGrowing } from './keep-growing.ts';
import { ledgerRoutes } from './ledger-routes.ts';
import { WaitingFor } from './waiting-for.ts';

export interface AuditorService extends Service {
  /** Of the ledgers (`/ledger/<partition>/`), probes and metrics. */
  readonly url: string;
}

export interface AuditorDeps {
  readonly settings: AuditorSettings;
  readonly logger: Logger;
  readonly version: string;
  /** Any clock that never goes back, milliseconds. */
  readonly now: () => number;
}

/** For calls of the store in hand, milliseconds. */
const STORE_GRACE_MS = 5_000;

/** Ledgers, probes and metrics are served from the start; the ledgers grow once cluster, topics and store are what they must be. Throws `INVALID_KEY`. */
export async function startAuditor(deps: AuditorDeps, told: AbortSignal): Promise<AuditorService> {
  const { settings, version, now } = deps;
  // Under whatever name: a file without a key must not wait for a cluster to be found out.
  await openSignerKey(settings.auditing.signerKey);
  const health = new Health('auditing');
  const metrics = createMetrics({ version, regions: [] });
  const stopping = new AbortController();
  const stop = (): void => { stopping.abort(); };
  told.addEventListener('abort', stop, { once: true });
  const store = openStore(settings);
  const operations = await startOperations({
    host: settings.http.host, port: settings.http.port, live: () => health.live, ready: () => health.readiness(), metrics: () => metrics.render(),
    routes: (app) => { ledgerRoutes(app, store.store); },
  });
  const ended = auditUntil(stopping, { deps, health, metrics: metrics.ledger(now), store });
  ended.catch(() => { health.failed(); });
  return {
    url: operations.url,
    ended,
    stop: async () => {
      health.stopping();
      stop();
      // A store that does not answer must not hold up the end; what it was asked for is asked for again.
      const late = setTimeout(store.close, STORE_GRACE_MS);
      // Whoever awaits `ended` hears of it.
      await ended.catch(() => undefined);
      clearTimeout(late);
      await operations.close();
      store.close();
    },
  };
}

interface OpenStore {
  readonly store: LedgerStore;
  /** Before it is written to. */
  readonly prepare: () => Promise<void>;
  readonly close: () => void;
}

function openStore({ ledger }: AuditorSettings): OpenStore {
  const { directory } = ledger;
  if (directory !== undefined) return { store: new FilesystemLedgerStore(directory), prepare: () => openLedgerDirectory(directory), close: () => undefined };
  const store = new S3LedgerStore(ledger.bucket);
  return { store, prepare: () => Promise.resolve(), close: () => { store.close(); } };
}

interface Work {
  readonly deps: AuditorDeps;
  readonly health: Health;
  readonly metrics: LedgerMetrics;
  readonly store: OpenStore;
}

async function auditUntil(stopping: AbortController, { deps, health, metrics, store }: Work): Promise<void> {
  const { settings, logger, now } = deps;
  const { signal } = stopping;
  const waits = (error: unknown): void => { if (health.waits(codeOf(error))) logger.warn('Auditing waits.', { error }); };
  const kafka = { ...settings.kafka, clientId: 'residency-auditor' };
  const log = await comeUp(() => openKafkaLog(kafka, logger), { signal, waits });
  try {
    const partitions = await comeUp(async () => {
      await demandTopics(kafka, logger);
      await store.prepare();
      return [...(await log.ends(TOPICS.audit)).keys()];
    }, { signal, waits });
    waits(undefined);
    health.started();
    // One for all of them: an identity's events may stand in several partitions.
    const regions = new RecentRegions();
    const waiting = new WaitingFor(waits);
    const growing = partitions.map(async (partition) => {
      const signer = await openSignerKey(settings.auditing.signerKey, ledgerOrigin(settings.ledger.origin, log.name, partition));
      await keepGrowing({
        source: new KafkaAuditSource(log, partition), store: store.store, signer, regions, intervalMs: settings.auditing.intervalMs, now, signal, logger, metrics,
        waits: (error) => { waiting.of(partition, error); },
      });
    });
    await allOrNone(growing, stopping);
  } catch (error) {
    if (!(signal.aborted && remedyOf(error) === 'retry')) throw error;
  } finally {
    await log.close();
  }
}

/** Whichever fails ends the others, and all have ended when this rejects. */
async function allOrNone(works: readonly Promise<void>[], stopping: AbortController): Promise<void> {
  const results = await Promise.allSettled(works.map((work) => work.catch((error: unknown) => {
    stopping.abort();
    throw error;
  })));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
