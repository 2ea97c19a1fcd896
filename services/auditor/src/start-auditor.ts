import { dirname, join } from 'node:path';
import {
  FilesystemLedgerStore,
  initLedgerDirectory,
  openLedgerDirectory,
} from '@residency/adapter-filesystem';
import { openServiceLog } from '@residency/adapter-kafka';
import { S3LedgerStore } from '@residency/adapter-s3';
import { RecentRegions, checkpointPath, ledgerOrigin, saysOfLedger } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import type { LedgerBucket } from '@residency/configuration';
import { TOPICS } from '@residency/contracts';
import { openLedgerKeys, parseKeyFile } from '@residency/ledger';
import { SharedWait, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import type { Logger, Metrics } from '@residency/telemetry';
import { allOrNone, pause, retryUntilReady } from '@residency/waiting';
import type { AuditorSettings } from './config.ts';
import { KafkaAuditSource } from './kafka-audit-source.ts';
import { keepGrowing } from './keep-growing.ts';
import { LEDGER_PATHS, ledgerRoutes } from './ledger-routes.ts';

export interface AuditorDeps {
  readonly settings: AuditorSettings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A monotonic clock, milliseconds. */
  readonly now: () => number;
  /**
   * How long probes and metrics report a refused ledger before the work ends, milliseconds; default
   * 60 s.
   */
  readonly holdMs?: number;
}

/** The time for store calls in progress at the end, milliseconds. */
const STORE_GRACE_MS = 5_000;

/**
 * Serves ledgers (`/ledger/<partition>/`), probes and metrics from the start. The ledgers grow once
 * cluster, topics and store are verified. Throws `INVALID_KEY`.
 */
export async function startAuditor(deps: AuditorDeps): Promise<RunningWork> {
  const { settings, logger, metrics } = deps;
  // Checks any key file in the folder, so that an invalid one fails before the cluster is reached.
  await openLedgerKeys(parseKeyFile(settings.auditing.signerKey), settings.ledger.origin);
  const stores = openStores(settings);
  return await runWork({
    name: 'auditing',
    http: settings.http,
    logger,
    metrics,
    routes: (app) => {
      ledgerRoutes(app, stores.ledger.store);
    },
    paths: LEDGER_PATHS,
    work: (context) => hurried(context.signal, stores, () => audit(deps, context, stores)),
    close: () => {
      closeAll(stores);
    },
  });
}

/**
 * Limits how long the end waits for a store that does not answer. Unfinished calls are repeated by
 * the next process.
 */
async function hurried(
  signal: AbortSignal,
  stores: Stores,
  work: () => Promise<void>,
): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  signal.addEventListener(
    'abort',
    () => {
      late = setTimeout(() => {
        closeAll(stores);
      }, STORE_GRACE_MS);
    },
    { once: true },
  );
  await work().finally(() => {
    clearTimeout(late);
  });
}

interface OpenStore {
  readonly store: LedgerStore;
  /** Call before the first write. */
  readonly prepare: () => Promise<void>;
  readonly close: () => void;
}

interface Stores {
  readonly ledger: OpenStore;
  /** The place of the newest checkpoints, apart from the ledger. */
  readonly kept: OpenStore;
}

function openStores({ ledger, checkpoints }: AuditorSettings): Stores {
  return {
    ledger:
      ledger.directory === undefined
        ? inBucket(ledger.bucket)
        : inFolder(ledger.directory, openLedgerDirectory),
    kept: openKept(checkpoints),
  };
}

function openKept({ directory, bucket, besideKey }: AuditorSettings['checkpoints']): OpenStore {
  if (directory !== undefined) return inFolder(directory, openLedgerDirectory);
  if (bucket !== undefined) return inBucket(bucket);
  // The key's folder exists, so its disk is mounted.
  return inFolder(join(dirname(besideKey), 'ledger-checkpoints'), initLedgerDirectory);
}

function inFolder(directory: string, prepare: (directory: string) => Promise<void>): OpenStore {
  return {
    store: new FilesystemLedgerStore(directory),
    prepare: () => prepare(directory),
    close: () => undefined,
  };
}

function inBucket(bucket: LedgerBucket): OpenStore {
  const store = new S3LedgerStore(bucket);
  return {
    store,
    prepare: () => Promise.resolve(),
    close: () => {
      store.close();
    },
  };
}

function closeAll({ ledger, kept }: Stores): void {
  ledger.close();
  kept.close();
}

/** At least two scrapes: an error that needs a person must be scraped before the process ends. */
const HOLD_MS = 60_000;

async function audit(
  { settings, logger, metrics, now, holdMs = HOLD_MS }: AuditorDeps,
  { signal, waits, started }: WorkContext,
  { ledger, kept }: Stores,
): Promise<void> {
  const ledgers = metrics.ledger();
  const { log } = await openServiceLog({
    service: 'auditor',
    kafka: settings.kafka,
    logger,
    signal,
    waits,
  });
  try {
    const partitions = await retryUntilReady(
      async () => {
        await ledger.prepare();
        await kept.prepare();
        return [...(await log.ends(TOPICS.audit)).keys()];
      },
      { signal, waits },
    );
    waits(undefined);
    started();
    // One for all partitions, because the events of one identity may be in several.
    const regions = new RecentRegions();
    const waiting = new SharedWait(waits);
    const file = parseKeyFile(settings.auditing.signerKey);
    await allOrNone(signal, (together) =>
      partitions.map(async (partition) => {
        const keys = await openLedgerKeys(
          file,
          ledgerOrigin(settings.ledger.origin, log.name, partition, file.generation),
        );
        if (
          await retryUntilReady(() => isUnkept({ ledger, kept }, partition, file.generation), {
            signal,
            waits,
          })
        )
          logger.warn(
            'No checkpoint of the ledger was kept apart, so a restored older copy cannot be detected. The newest one is kept from now on.',
            { partition },
          );
        await keepGrowing({
          ...keys,
          generation: file.generation,
          source: new KafkaAuditSource(log, partition),
          store: ledger.store,
          kept: kept.store,
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
  } catch (error) {
    if (saysOfLedger(error)) {
      waits(error);
      await pause(holdMs, signal);
    }
    throw error;
  } finally {
    await log.close();
  }
}

async function isUnkept(
  { ledger, kept }: Stores,
  partition: number,
  generation: number,
): Promise<boolean> {
  const path = checkpointPath(partition, generation);
  return (
    (await kept.store.read(path)) === undefined && (await ledger.store.read(path)) !== undefined
  );
}
