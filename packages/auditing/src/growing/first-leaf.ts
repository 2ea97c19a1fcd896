import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { FIRST_LEAF_PATH, ledgerPath } from './ledger-paths.ts';
import { forked } from './recover-ledger.ts';

interface Of {
  readonly store: Pick<LedgerStore, 'read'>;
  readonly kept: Pick<KeptCheckpoints, 'read'>;
  readonly source: { readonly partition: number };
  readonly generation?: number;
}

/**
 * The last checkpoint of the ledger before this one; `undefined` for the first generation. Throws
 * `LEDGER_FORK` if a later generation has none.
 */
export async function readFirstLeaf({
  store,
  kept,
  source: { partition },
  generation = 1,
}: Of): Promise<Uint8Array | undefined> {
  if (generation === 1) return undefined;
  const path = ledgerPath(partition, FIRST_LEAF_PATH, generation);
  // If the ledger's store was lost, it is rebuilt from the log and the kept files.
  const leaf = (await store.read(path)) ?? (await kept.read(path));
  if (leaf === undefined) throw forked(path);
  return leaf;
}
