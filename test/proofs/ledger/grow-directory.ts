import { EventWatch, RecentRegions, growLedger } from '@residency/auditing';
import type { AuditRecord, LedgerStore } from '@residency/auditing';
import { makeKey, openSignerKey } from '@residency/ledger';
import type { Signer } from '@residency/ledger';
import { MemoryAuditSource } from '@residency/testkit';

const SECRET = (await makeKey('proof.example', new Uint8Array(32).fill(1), 1)).signerKey;

export function proofSigner(): Promise<Signer> {
  return openSignerKey(SECRET, 'proof.example/log-1/0');
}

/** One life of a writer: everything in `records` is under a checkpoint when it resolves. */
export async function growDirectory(
  store: LedgerStore,
  records: readonly AuditRecord[],
  { batch, intervalMs }: { readonly batch: () => number; readonly intervalMs: number },
): Promise<void> {
  const source = new MemoryAuditSource(records, { batch });
  const watch = new EventWatch({
    log: source.log,
    partition: 0,
    regions: new RecentRegions(1_000),
    found: (finding) => {
      throw new Error(`Expected a sound log, found ${finding.kind}.`);
    },
  });
  let now = 0;
  await growLedger({
    source,
    store,
    signer: await proofSigner(),
    watch,
    intervalMs,
    now: () => (now += 100),
    until: 'end',
    signal: new AbortController().signal,
  });
}
