import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { parseCheckpoint, parseNote } from '@residency/ledger';
import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { FIRST_LEAF_PATH, checkpointPath, ledgerPath } from './ledger-paths.ts';

export interface BeginLedgerOptions {
  readonly store: LedgerStore;
  readonly kept: KeptCheckpoints;
  readonly of: TopicPartition;
  /** The generation of the new ledger, 2 or more. */
  readonly generation: number;
}

export interface BegunLedger {
  /** The size of the checkpoint that is the first leaf; absent: there was none. */
  readonly after?: number;
}

/**
 * Decides a new ledger's first leaf, once for ever: the largest remaining checkpoint of the
 * generation before, kept apart or published, byte for byte; the empty leaf if there is none. Its
 * signature is not verified, because its key may be lost. May be repeated after any interruption,
 * and then returns the first decision.
 */
export async function beginLedger({
  store,
  kept,
  of,
  generation,
}: BeginLedgerOptions): Promise<BegunLedger> {
  const path = ledgerPath(of, FIRST_LEAF_PATH, generation);
  const leaf =
    (await kept.read(path)) ??
    (await store.read(path)) ??
    (await lastOf({ store, kept, of, generation: generation - 1 }));
  // Both of them: with the log and this file the ledger can be rebuilt.
  await kept.publish(path, leaf, await kept.read(path));
  await store.create(path, leaf);
  const after = sizeOf(leaf);
  return defined({ after });
}

async function lastOf({ store, kept, of, generation }: BeginLedgerOptions): Promise<Uint8Array> {
  const path = checkpointPath(of, generation);
  const left = [await kept.read(path), await store.read(path)].filter(
    (bytes) => bytes !== undefined && sizeOf(bytes) !== undefined,
  );
  return (
    left.toSorted((one, other) => (sizeOf(other) ?? 0) - (sizeOf(one) ?? 0))[0] ?? new Uint8Array()
  );
}

function sizeOf(checkpoint: Uint8Array | undefined): number | undefined {
  try {
    return checkpoint === undefined ? undefined : parseCheckpoint(parseNote(checkpoint).text).size;
  } catch {
    return undefined;
  }
}
