import { LeafWatch, RecentRegions, growLedger } from '@residency/auditing';
import type { AuditRecord, KeptCheckpoints, LedgerStore } from '@residency/auditing';
import { makeKey, openSignerKey } from '@residency/ledger';
import type { Signer } from '@residency/ledger';
import { MemoryLedgerSource } from '@residency/testkit';

const SECRET = (await makeKey('proof.example', new Uint8Array(32).fill(1), 1)).signerKey;

export function proofSigner(): Promise<Signer> {
  return openSignerKey(SECRET, 'proof.example/log-1/0');
}

/**
 * Keeps checkpoints in the same store under another partition, so that they fail together with it.
 */
function apart(store: LedgerStore): KeptCheckpoints {
  return {
    read: (path) => store.read(`9${path}`),
    publish: (path, ...rest) => store.publish(`9${path}`, ...rest),
  };
}

/** One run of a writer. When it resolves, a checkpoint covers all `records`. */
export async function growDirectory(
  store: LedgerStore,
  records: readonly AuditRecord[],
  { batch, intervalMs }: { readonly batch: () => number; readonly intervalMs: number },
): Promise<void> {
  const source = new MemoryLedgerSource(records, { batch });
  const watch = new LeafWatch({
    log: source.log,
    of: source.of,
    regions: new RecentRegions(1_000),
    onAnomaly: (finding) => {
      throw new Error(`Expected a sound log, found ${finding.kind}.`);
    },
  });
  let now = 0;
  await growLedger({
    source,
    store,
    signer: await proofSigner(),
    kept: apart(store),
    watch,
    intervalMs,
    now: () => (now += 100),
    until: 'end',
    signal: new AbortController().signal,
  });
}
