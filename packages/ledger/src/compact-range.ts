import { LedgerError } from './ledger-error.ts';
import { MAX_TREE_SIZE } from './tree-head.ts';
import { emptyRoot, nodeHash } from './tree-hash.ts';

/**
 * A tree of `size` leaves as the roots of its complete subtrees, the largest first: one for each
 * bit set in `size`. Appending needs nothing more.
 */
export interface CompactRange {
  readonly size: number;
  readonly nodes: readonly Uint8Array[];
}

export const EMPTY_RANGE: CompactRange = { size: 0, nodes: [] };

export function appendHashes(range: CompactRange, hashes: Iterable<Uint8Array>): CompactRange {
  const nodes = [...range.nodes];
  let size = range.size;
  for (const hash of hashes) {
    if (size >= MAX_TREE_SIZE)
      throw new LedgerError(
        'INVALID_SIZE',
        'Expected fewer than 2^53 leaves, found more; start another ledger.',
      );
    let merged = hash;
    // Each bit set at the low end is a complete subtree as large as the one just built.
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = nodes.pop();
      if (left === undefined)
        throw new LedgerError(
          'INVALID_SIZE',
          'Expected one node for each bit set in the size, found fewer; build the range from its leaves.',
        );
      merged = nodeHash(left, merged);
    }
    nodes.push(merged);
    size += 1;
  }
  return { size, nodes };
}

export function rootOf({ nodes }: CompactRange): Uint8Array {
  return nodes.length === 0
    ? emptyRoot()
    : nodes.reduceRight((right, left) => nodeHash(left, right));
}
