import { join } from 'node:path';
import { FilesystemLedgerStore, initLedgerDirectory } from '@residency/adapter-filesystem';
import { EventWatch, RecentRegions, growLedger } from '@residency/auditing';
import type { AuditSource, Finding, LedgerStore } from '@residency/auditing';
import type { Signer } from '@residency/ledger';
import type { DataDirectory } from './data-directory.ts';
import { ledgerSigner } from './ledger-key.ts';
import { SqliteAuditSource } from './sqlite-audit-source.ts';

/** What grows a data directory's ledger. */
export interface EmbeddedLedger {
  readonly source: AuditSource;
  readonly store: LedgerStore;
  readonly signer: Signer;
}

/** Makes folder and key where they are missing. For whoever holds the routing lock: one process at a time publishes. */
export async function openEmbeddedLedger(
  data: Pick<DataDirectory, 'path' | 'log'>,
): Promise<EmbeddedLedger> {
  const directory = join(data.path, 'ledger');
  await initLedgerDirectory(directory);
  return {
    source: new SqliteAuditSource(data.log),
    store: new FilesystemLedgerStore(directory),
    signer: await ledgerSigner(data),
  };
}

/** Brings the ledger to the end of the audit log, for commands that route and end. Under the routing lock. Throws as `growLedger`. */
export async function bringLedgerUpToDate(
  data: Pick<DataDirectory, 'path' | 'log'>,
  { signal, found }: { readonly signal: AbortSignal; readonly found?: (finding: Finding) => void },
): Promise<void> {
  const ledger = await openEmbeddedLedger(data);
  const watch = new EventWatch({
    log: ledger.source.log,
    partition: 0,
    regions: new RecentRegions(),
    found: found ?? (() => undefined),
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
