import { TILE_WIDTH } from '@residency/ledger';
import type { LedgerReader } from '@residency/ledger';
import { kindOf } from '../logs/kind-of.ts';
import type { LogKind } from '../logs/log-kind.ts';

/**
 * The entry's index in the ledger; `undefined`: the ledger does not have it. Reads O(log n) bundles
 * if the events are in order, as an honest log's are, and all of them otherwise.
 */
export async function findLeaf(
  reader: LedgerReader,
  entry: Uint8Array,
  topic: string,
): Promise<number | undefined> {
  const bundles = Math.ceil(reader.head.size / TILE_WIDTH);
  const kind = kindOf(topic);
  const order = kind.orderOf(entry);
  const likely = order === undefined ? undefined : await bundleOf(reader, bundles, order, kind);
  if (likely !== undefined) {
    const index = await indexIn(reader, likely, entry);
    if (index !== undefined) return index;
  }
  for (let bundle = 0; bundle < bundles; bundle += 1) {
    const index = await indexIn(reader, bundle, entry);
    if (index !== undefined) return index;
  }
  return undefined;
}

/** The last bundle whose first entry is at or before the one that is looked for. */
async function bundleOf(
  reader: LedgerReader,
  bundles: number,
  order: bigint,
  kind: LogKind,
): Promise<number | undefined> {
  let [from, to] = [0, bundles];
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    const entry = (await reader.entries(middle))[0];
    const first = entry === undefined ? undefined : kind.orderOf(entry);
    if (first === undefined) return undefined;
    if (first <= order) from = middle;
    else to = middle;
  }
  return bundles === 0 ? undefined : from;
}

async function indexIn(
  reader: LedgerReader,
  bundle: number,
  entry: Uint8Array,
): Promise<number | undefined> {
  const at = (await reader.entries(bundle)).findIndex((one) => Buffer.compare(one, entry) === 0);
  return at === -1 ? undefined : bundle * TILE_WIDTH + at;
}
