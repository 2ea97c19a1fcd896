import { join } from 'node:path';
import { FilesystemLedgerStore, initLedgerDirectory } from '@residency/adapter-filesystem';
import {
  LeafWatch,
  RECORD_LOGS,
  RecentRegions,
  checkLedger,
  custodyLogsOf,
  growLedger,
} from '@residency/auditing';
import type { LedgerSource, CheckedLedger, AuditAnomaly, LedgerStore } from '@residency/auditing';
import { codeOf } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import type { DataDirectory } from './data-directory.ts';
import { ledgerKeys } from './ledger-key.ts';
import type { EmbeddedKeys } from './ledger-key.ts';
import { SqliteLedgerSource } from './sqlite-ledger-source.ts';
import { StandaloneError } from './standalone-error.ts';

type Data = Pick<DataDirectory, 'path' | 'log' | 'checkpoints'>;

/** The dependencies for growing one of a data directory's ledgers. */
export interface EmbeddedLedger extends EmbeddedKeys {
  readonly source: LedgerSource;
  readonly store: LedgerStore;
  readonly kept: LedgerStore;
}

/** The folders of the ledgers and of their kept checkpoints. They need not exist. */
export function embeddedStores({
  path,
  checkpoints,
}: Pick<DataDirectory, 'path' | 'checkpoints'>): Pick<EmbeddedLedger, 'store' | 'kept'> {
  return {
    store: new FilesystemLedgerStore(join(path, 'ledger')),
    kept: new FilesystemLedgerStore(checkpoints),
  };
}

/**
 * The logs of a data directory that have ledgers: the audit log, each region's custody log, and the
 * logs in which append time decides.
 */
export async function ledgeredLogs({ log }: Pick<Data, 'log'>): Promise<readonly TopicPartition[]> {
  return [AUDIT, ...custodyLogsOf((await log.policyView().read()).versions), ...RECORD_LOGS];
}

/** The audit log's one partition. */
const AUDIT: TopicPartition = { topic: TOPICS.audit, partition: 0 };

/**
 * Creates missing folders. Throws `LEDGER_KEY_LOST`. Only for the holder of the routing lock,
 * because only one process at a time may publish.
 */
export async function openEmbeddedLedger(
  data: Data,
  of: TopicPartition = AUDIT,
): Promise<EmbeddedLedger> {
  await makeLedgerPlaces(data);
  return await embeddedLedger(data, of);
}

async function embeddedLedger(data: Data, of: TopicPartition): Promise<EmbeddedLedger> {
  return {
    ...(await ledgerKeys(data, of)),
    ...embeddedStores(data),
    source: new SqliteLedgerSource(data.log, of.topic),
  };
}

/** Throws `CHECKPOINTS_UNUSABLE`. */
export async function makeLedgerPlaces({
  path,
  checkpoints,
}: Pick<DataDirectory, 'path' | 'checkpoints'>): Promise<void> {
  await initLedgerDirectory(join(path, 'ledger'));
  try {
    await initLedgerDirectory(checkpoints);
  } catch (cause) {
    if (codeOf(cause) !== 'LEDGER_UNREACHABLE') throw cause;
    throw new StandaloneError({
      code: 'CHECKPOINTS_UNUSABLE',
      message: `Expected to keep the ledgers' newest checkpoints in ${checkpoints}, apart from the data directory; found that this user cannot make or write it. Name another folder with --checkpoints or RESIDENCY_CHECKPOINTS.`,
      remedy: 'stop',
      cause,
    });
  }
}

/**
 * Checks that each ledger, its log and its kept checkpoint belong to one history. Changes nothing.
 * Call before anything is routed or copied: after an older copy was restored, new events would form
 * another history. Fewer results than logs: interrupted. Throws `LEDGER_KEY_LOST` and the errors of
 * `checkLedger`.
 */
export async function checkEmbeddedLedgers(
  data: Data,
  signal: AbortSignal,
): Promise<readonly CheckedLedger[]> {
  const checked: CheckedLedger[] = [];
  for (const of of await ledgeredLogs(data)) {
    const one = await checkLedger({ ...(await embeddedLedger(data, of)), signal });
    if (one === undefined) return checked;
    checked.push(one);
  }
  return checked;
}

/**
 * Brings the ledgers to the ends of their logs, for commands that route and end. Only under the
 * routing lock. Throws the errors of `growLedger`.
 */
export async function bringLedgersUpToDate(
  data: Data,
  {
    signal,
    found,
  }: { readonly signal: AbortSignal; readonly found?: (anomaly: AuditAnomaly) => void },
): Promise<void> {
  const regions = new RecentRegions();
  for (const of of await ledgeredLogs(data)) {
    const ledger = await openEmbeddedLedger(data, of);
    const watch = new LeafWatch({
      log: ledger.source.log,
      of,
      ...(of === AUDIT ? { regions } : {}),
      onAnomaly: found ?? (() => undefined),
    });
    await growLedger({
      ...ledger,
      watch,
      intervalMs: Infinity,
      now: () => performance.now(),
      until: 'end',
      signal,
    });
  }
}
