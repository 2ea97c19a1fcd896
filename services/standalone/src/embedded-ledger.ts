import { join } from 'node:path';
import { FilesystemLedgerStore, initLedgerDirectory } from '@residency/adapter-filesystem';
import { EventWatch, RecentRegions, checkLedger, growLedger } from '@residency/auditing';
import type { AuditSource, CheckedLedger, AuditAnomaly, LedgerStore } from '@residency/auditing';
import { codeOf } from '@residency/coded-error';
import type { DataDirectory } from './data-directory.ts';
import { ledgerKeys } from './ledger-key.ts';
import type { EmbeddedKeys } from './ledger-key.ts';
import { SqliteAuditSource } from './sqlite-audit-source.ts';
import { StandaloneError } from './standalone-error.ts';

type Data = Pick<DataDirectory, 'path' | 'log' | 'checkpoints'>;

/** The dependencies for growing a data directory's ledger. */
export interface EmbeddedLedger extends EmbeddedKeys {
  readonly source: AuditSource;
  readonly store: LedgerStore;
  readonly kept: LedgerStore;
}

/** The folders of the ledger and of its kept checkpoints. They need not exist. */
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
 * Creates missing folders. Throws `LEDGER_KEY_LOST`. Only for the holder of the routing lock,
 * because only one process at a time may publish.
 */
export async function openEmbeddedLedger(data: Data): Promise<EmbeddedLedger> {
  const keys = await ledgerKeys(data);
  await makeLedgerPlaces(data);
  return { ...keys, ...embeddedStores(data), source: new SqliteAuditSource(data.log) };
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
      message: `Expected to keep the ledger's newest checkpoint in ${checkpoints}, apart from the data directory; found that this user cannot make or write it. Name another folder with --checkpoints or RESIDENCY_CHECKPOINTS.`,
      remedy: 'stop',
      cause,
    });
  }
}

/**
 * Checks that ledger, audit log and kept checkpoint belong to one history. Changes nothing. Call
 * before anything is routed: after an older copy was restored, new settlements would form another
 * history. `undefined`: interrupted. Throws `LEDGER_KEY_LOST` and the errors of `checkLedger`.
 */
export async function checkEmbeddedLedger(
  data: Data,
  signal: AbortSignal,
): Promise<CheckedLedger | undefined> {
  return await checkLedger({
    ...(await ledgerKeys(data)),
    ...embeddedStores(data),
    source: new SqliteAuditSource(data.log),
    signal,
  });
}

/**
 * Brings the ledger to the end of the audit log, for commands that route and end. Only under the
 * routing lock. Throws the errors of `growLedger`.
 */
export async function bringLedgerUpToDate(
  data: Data,
  {
    signal,
    found,
  }: { readonly signal: AbortSignal; readonly found?: (anomaly: AuditAnomaly) => void },
): Promise<void> {
  const ledger = await openEmbeddedLedger(data);
  const watch = new EventWatch({
    log: ledger.source.log,
    partition: 0,
    regions: new RecentRegions(),
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
