import { defined } from '@residency/defined';
import {
  LedgerReader,
  openCheckpoint,
  openSignerKey,
  makeKey,
  parseCheckpoint,
} from '@residency/ledger';
import type { Checkpoint, Signer } from '@residency/ledger';
import { auditPartition, MemoryLedgerSource, MemoryLedgerStore } from '@residency/testkit';
import type {
  AuditRecord,
  AuditAnomaly,
  GrowLedgerOptions,
  KeptCheckpoints,
  LedgerStore,
} from '../../src/index.ts';
import {
  LeafWatch,
  RecentRegions,
  checkpointPath,
  growLedger,
  leafOf,
  ledgerOrigin,
  ledgerPath,
} from '../../src/index.ts';

/** One secret, as a key file holds it; each partition's ledger is signed under its own origin. */
export const SECRET = (await makeKey('residency-router', new Uint8Array(32).fill(7), 1)).signerKey;

export function signerOf(partition = 0): Promise<Signer> {
  return openSignerKey(
    SECRET,
    ledgerOrigin('residency-router', 'log-1', auditPartition(partition)),
  );
}

/**
 * A place apart whose calls are the same store's: what fails or is counted there fails and is
 * counted here.
 */
export function keptIn(store: LedgerStore): KeptCheckpoints {
  const apart = (path: string): string => path.replace(/^\d+/, (partition) => `9${partition}`);
  return {
    read: (path) => store.read(apart(path)),
    publish: (path, ...rest) => store.publish(apart(path), ...rest),
  };
}

export interface Grown {
  readonly anomalies: AuditAnomaly[];
}

/**
 * Grows a ledger to the end of the records. `kept` holds the checkpoints kept apart; default:
 * a new store for this call.
 */
export async function grow(
  store: LedgerStore,
  records: readonly AuditRecord[],
  {
    batch,
    partition = 0,
    ...more
  }: Partial<GrowLedgerOptions> & {
    readonly batch?: () => number;
    readonly partition?: number;
  } = {},
): Promise<Grown> {
  const source = new MemoryLedgerSource(records, {
    partition,
    ...defined({ batch }),
  });
  const anomalies: AuditAnomaly[] = [];
  const watch = new LeafWatch({
    log: source.log,
    of: source.of,
    regions: new RecentRegions(1_000),
    onAnomaly: (anomaly) => {
      anomalies.push(anomaly);
    },
  });
  await growLedger({
    source,
    store,
    signer: await signerOf(partition),
    kept: new MemoryLedgerStore(),
    watch,
    intervalMs: 0,
    now: () => 0,
    until: 'end',
    signal: new AbortController().signal,
    ...more,
  });
  return { anomalies };
}

/** The published checkpoint, its signature verified. */
export async function published(
  store: LedgerStore,
  partition = 0,
): Promise<Checkpoint | undefined> {
  const bytes = await store.read(checkpointPath(auditPartition(partition)));
  if (bytes === undefined) return undefined;
  const { key } = await signerOf(partition);
  return (await openCheckpoint(bytes, { origin: key.name, keys: [key] })).checkpoint;
}

/** Every entry under a checkpoint, each proven to be in its tree. */
export async function entriesUnder(
  store: LedgerStore,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
  partition = 0,
): Promise<Buffer[]> {
  const reader = await LedgerReader.open({ size, root }, (path) =>
    store.read(ledgerPath(auditPartition(partition), path)),
  );
  const entries: Buffer[] = [];
  for (let bundle = 0; bundle * 256 < size; bundle += 1)
    entries.push(...(await reader.entries(bundle)).map((entry) => Buffer.from(entry)));
  return entries;
}

export function leavesOf(records: readonly AuditRecord[]): Buffer[] {
  return records.map(({ value }) => Buffer.from(leafOf(value)));
}

export function headOf(text: Uint8Array | string): Checkpoint {
  return parseCheckpoint(Buffer.from(text).toString());
}
