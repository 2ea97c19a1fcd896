import { FilesystemLedgerStore, openLedgerDirectory } from '@residency/adapter-filesystem';
import { demandTopics, openKafkaLog } from '@residency/adapter-kafka';
import { S3LedgerStore } from '@residency/adapter-s3';
import { RecentRegions, ledgerOrigin } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { TOPICS, logLevelOf } from '@residency/contracts';
import { openSignerKey } from '@residency/ledger';
import { SharedWait, allOrNone, comeUp, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import type { Logger, Metrics } from '@residency/telemetry';
import type { AuditorSettings } from './config.ts';
import { KafkaAuditSource } from './kafka-audit-source.ts';
import { keepGrowing } from './keep-growing.ts';
import { ledgerRoutes } from './ledger-routes.ts';

export interface AuditorDeps {
  readonly settings: AuditorSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Any clock that never goes back, milliseconds. */
  readonly now: () => number;
}

/** For calls of the store in hand, milliseconds. */
const STORE_GRACE_MS = 5_000;

/** Ledgers (`/ledger/<partition>/`), probes and metrics are served from the start; the ledgers grow once cluster, topics and store are what they must be. Throws `INVALID_KEY`. */
export async function startAuditor(deps: AuditorDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  // Under whatever name: a file without a key must not wait for a cluster to be found out.
  await openSignerKey(settings.auditing.signerKey);
  const store = openStore(settings);
  return await runWork({
    name: 'auditing',
    http: settings.http,
    logger,
    metrics,
    routes: (app) => {
      ledgerRoutes(app, store.store);
    },
    work: (context) => hurried(context.signal, store, () => audit(deps, context, store)),
    close: store.close,
  });
}

/** A store that does not answer must not hold up the end; what it was asked for is asked for again. */
async function hurried(
  signal: AbortSignal,
  { close }: OpenStore,
  work: () => Promise<void>,
): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  signal.addEventListener(
    'abort',
    () => {
      late = setTimeout(close, STORE_GRACE_MS);
    },
    { once: true },
  );
  await work().finally(() => {
    clearTimeout(late);
  });
}

interface OpenStore {
  readonly store: LedgerStore;
  /** Before it is written to. */
  readonly prepare: () => Promise<void>;
  readonly close: () => void;
}

function openStore({ ledger }: AuditorSettings): OpenStore {
  const { directory } = ledger;
  if (directory !== undefined)
    return {
      store: new FilesystemLedgerStore(directory),
      prepare: () => openLedgerDirectory(directory),
      close: () => undefined,
    };
  const store = new S3LedgerStore(ledger.bucket);
  return {
    store,
    prepare: () => Promise.resolve(),
    close: () => {
      store.close();
    },
  };
}

async function audit(
  { settings, logger, metrics, now }: AuditorDeps,
  { signal, waits, started }: WorkContext,
  store: OpenStore,
): Promise<void> {
  const ledgers = metrics.ledger();
  const kafka = { ...settings.kafka, clientId: 'residency-auditor' };
  const log = await comeUp(() => openKafkaLog(kafka, logger), { signal, waits });
  try {
    const partitions = await comeUp(
      async () => {
        await demandTopics(kafka, logger);
        await store.prepare();
        return [...(await log.ends(TOPICS.audit)).keys()];
      },
      { signal, waits },
    );
    log.controlView((state) => {
      logger.setLevel(logLevelOf(state, 'auditor'));
    });
    waits(undefined);
    started();
    // One for all of them: an identity's events may stand in several partitions.
    const regions = new RecentRegions();
    const waiting = new SharedWait(waits);
    await allOrNone(signal, (together) =>
      partitions.map(async (partition) => {
        const signer = await openSignerKey(
          settings.auditing.signerKey,
          ledgerOrigin(settings.ledger.origin, log.name, partition),
        );
        await keepGrowing({
          source: new KafkaAuditSource(log, partition),
          store: store.store,
          signer,
          regions,
          intervalMs: settings.auditing.intervalMs,
          now,
          signal: together,
          logger,
          metrics: ledgers,
          waits: (error) => {
            waiting.of(partition, error);
          },
        });
      }),
    );
  } finally {
    await log.close();
  }
}
