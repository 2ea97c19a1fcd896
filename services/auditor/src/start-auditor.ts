import { dirname, join } from 'node:path';
import {
  FilesystemLedgerStore,
  initLedgerDirectory,
  openLedgerDirectory,
} from '@residency/adapter-filesystem';
import { openServiceLog } from '@residency/adapter-kafka';
import { S3LedgerStore } from '@residency/adapter-s3';
import {
  RECORD_LOGS,
  RecentRegions,
  checkpointPath,
  ledgerOrigin,
  saysOfLedger,
} from '@residency/auditing';
import type { LedgerStore, RegionIndex } from '@residency/auditing';
import { codeOf } from '@residency/coded-error';
import type { LedgerBucket } from '@residency/configuration';
import { TOPICS } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { openLedgerKeys, parseKeyFile } from '@residency/ledger';
import { SharedWait, runWork } from '@residency/operations';
import type { RunningWork, WorkContext } from '@residency/operations';
import type { Logger, Metrics } from '@residency/telemetry';
import { allOrNone, pause, retryUntilReady } from '@residency/waiting';
import type { AuditorSettings } from './config.ts';
import { KafkaLedgerSource } from './kafka-ledger-source.ts';
import { inEachCustodyLog } from './in-each-custody-log.ts';
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
 * Serves ledgers (`/ledger/`), probes and metrics from the start. The ledgers grow once
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
    const waiting = new SharedWait(waits);
    const file = parseKeyFile(settings.auditing.signerKey);
    const grow = async (
      of: TopicPartition,
      together: AbortSignal,
      regions?: RegionIndex,
    ): Promise<void> => {
      const retried = {
        signal,
        waits: (error: unknown) => {
          waiting.of(keyOf(of), error);
        },
      };
      if (await retryUntilReady(() => isUnkept({ ledger, kept }, of, file.generation), retried))
        logger.warn(
          'No checkpoint of the ledger was kept apart, so a restored older copy cannot be detected. The newest one is kept from now on.',
          { ...of },
        );
      await keepGrowing({
        ...(await openLedgerKeys(
          file,
          ledgerOrigin(settings.ledger.origin, log.name, of, file.generation),
        )),
        generation: file.generation,
        source: new KafkaLedgerSource(log, of),
        store: ledger.store,
        kept: kept.store,
        ...defined({ regions }),
        intervalMs: settings.auditing.intervalMs,
        now,
        signal: together,
        logger,
        metrics: ledgers,
        waits: retried.waits,
      });
    };
    // One for all partitions, because the events of one identity may be in several.
    const regions = new RecentRegions();
    const policies = log.policyView();
    const growOnceThere = async (of: TopicPartition, stop: AbortSignal): Promise<void> => {
      await untilThere(
        () => log.ends(of.topic),
        (error) => {
          ledgers.waits(of, codeOf(error));
          waiting.of(keyOf(of), error);
        },
        stop,
      );
      await grow(of, stop);
    };
    await allOrNone(signal, (together) => [
      ...partitions.map((partition) => grow({ topic: TOPICS.audit, partition }, together, regions)),
      ...RECORD_LOGS.map((of) => growOnceThere(of, together)),
      inEachCustodyLog(
        {
          policies: async () => (await policies.read()).versions,
          signal: together,
          waits: (error) => {
            waiting.of('policies', error);
          },
        },
        growOnceThere,
      ),
    ]);
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

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

const LOOK_AGAIN_MS = 5_000;

/**
 * Waits until a topic can be read. Without it the ledgers of the other logs grow on, and
 * probes and metrics say what is missing.
 */
async function untilThere(
  look: () => Promise<unknown>,
  waits: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await look();
      waits(undefined);
      return;
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      waits(error);
    }
    await pause(LOOK_AGAIN_MS, signal);
  }
}

async function isUnkept(
  { ledger, kept }: Stores,
  of: TopicPartition,
  generation: number,
): Promise<boolean> {
  const path = checkpointPath(of, generation);
  return (
    (await kept.store.read(path)) === undefined && (await ledger.store.read(path)) !== undefined
  );
}
