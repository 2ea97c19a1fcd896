import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LedgerSource } from '../ports/ledger-source.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { FIRST_LEAF_PATH, checkpointPath, ledgerPath } from './ledger-paths.ts';
import { forked } from './recover-ledger.ts';

interface Of {
  readonly store: Pick<LedgerStore, 'read'>;
  readonly kept: Pick<KeptCheckpoints, 'read'>;
  readonly source: Pick<LedgerSource, 'of'>;
  readonly generation?: number;
}

/**
 * The last checkpoint of the ledger before this one; `undefined` for the first generation. Empty if
 * this log never had a ledger: the key file's generation counts for all logs, and a log may be newer
 * than it. Throws `LEDGER_FORK` if there is none and there was a ledger.
 */
export async function readFirstLeaf(of: Of): Promise<Uint8Array | undefined> {
  const { store, kept, source, generation = 1 } = of;
  if (generation === 1) return undefined;
  const path = ledgerPath(source.of, FIRST_LEAF_PATH, generation);
  // If the ledger's store was lost, it is rebuilt from the log and the kept files.
  const leaf = (await store.read(path)) ?? (await kept.read(path));
  if (leaf !== undefined) return leaf;
  if (await hasLedger(of, generation)) throw forked(path);
  return new Uint8Array();
}

/** True if a checkpoint of any generation up to this one is left. */
async function hasLedger({ store, kept, source }: Of, newest: number): Promise<boolean> {
  for (let generation = newest; generation > 0; generation -= 1) {
    const path = checkpointPath(source.of, generation);
    if ((await kept.read(path)) !== undefined || (await store.read(path)) !== undefined)
      return true;
  }
  return false;
}
