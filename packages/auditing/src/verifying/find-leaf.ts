import { auditEventIn } from '@residency/contracts';
import { TILE_WIDTH } from '@residency/ledger';
import type { LedgerReader } from '@residency/ledger';
import type { Position } from '@residency/contracts';

/**
 * The entry's index in the ledger; `undefined`: the ledger does not have it. Reads O(log n) bundles
 * if the events are in order, as an honest log's are, and all of them otherwise.
 */
export async function findLeaf(
  reader: LedgerReader,
  entry: Uint8Array,
  position: Position,
): Promise<number | undefined> {
  const bundles = Math.ceil(reader.head.size / TILE_WIDTH);
  const likely = await bundleOf(reader, bundles, position.offset);
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

/** The last bundle whose first entry is at or before the offset. */
async function bundleOf(
  reader: LedgerReader,
  bundles: number,
  offset: bigint,
): Promise<number | undefined> {
  let [from, to] = [0, bundles];
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    const first = offsetOf((await reader.entries(middle))[0]);
    if (first === undefined) return undefined;
    if (first <= offset) from = middle;
    else to = middle;
  }
  return bundles === 0 ? undefined : from;
}

function offsetOf(entry: Uint8Array | undefined): bigint | undefined {
  return auditEventIn(entry)?.position.offset;
}

async function indexIn(
  reader: LedgerReader,
  bundle: number,
  entry: Uint8Array,
): Promise<number | undefined> {
  const at = (await reader.entries(bundle)).findIndex((one) => Buffer.compare(one, entry) === 0);
  return at === -1 ? undefined : bundle * TILE_WIDTH + at;
}
