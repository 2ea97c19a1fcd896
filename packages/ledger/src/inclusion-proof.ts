import { sameBytes } from './bytes.ts';
import { LedgerError } from './ledger-error.ts';
import { checkSize, siblingSides, split, subtreeHash } from './subtree.ts';
import type { ReadHash } from './subtree.ts';
import { checkTreeHead } from './tree-head.ts';
import type { TreeHead } from './tree-head.ts';
import { HASH_BYTES, nodeHash } from './tree-hash.ts';

/**
 * PATH(index, D[size]) of RFC 6962 §2.1.1: the siblings from the leaf up. Throws `INVALID_SIZE` if
 * the leaf is beyond the tree.
 */
export async function inclusionProof(
  size: number,
  index: number,
  read: ReadHash,
): Promise<Uint8Array[]> {
  checkSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw beyond('INVALID_SIZE');
  const siblings: (readonly [from: number, to: number])[] = [];
  for (let [from, to] = [0, size]; to - from > 1;) {
    const middle = from + split(to - from);
    siblings.push(index < middle ? [middle, to] : [from, middle]);
    if (index < middle) to = middle;
    else from = middle;
  }
  return Promise.all(siblings.toReversed().map(([from, to]) => subtreeHash(from, to, read)));
}

/**
 * RFC 9162 §2.1.3.2. Returns if the proof leads from the leaf to the head's root. Throws
 * `INVALID_PROOF` if no proof of this leaf in a tree of this size has this shape, `ROOT_MISMATCH`
 * if it leads to another root.
 */
export function verifyInclusion(
  head: TreeHead,
  index: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): void {
  checkTreeHead(head);
  if (!Number.isSafeInteger(index) || index < 0 || index >= head.size)
    throw beyond('INVALID_PROOF');
  if ([leaf, ...proof].some((hash) => hash.length !== HASH_BYTES)) throw shape();
  const sides = siblingSides(index, head.size - 1);
  if (proof.length !== sides.length) throw shape();
  const hash = proof.reduce(
    (node, sibling, at) =>
      sides[at] === 'left' ? nodeHash(sibling, node) : nodeHash(node, sibling),
    leaf,
  );
  if (!sameBytes(hash, head.root))
    throw new LedgerError(
      'ROOT_MISMATCH',
      "Expected the proof to lead from the entry to the checkpoint's root, found another root; this ledger has not committed to this entry here.",
    );
}

function beyond(code: 'INVALID_SIZE' | 'INVALID_PROOF'): LedgerError {
  return new LedgerError(
    code,
    'Expected the index of a leaf inside the tree, found one beyond it; ask again with a larger checkpoint.',
  );
}

function shape(): LedgerError {
  return new LedgerError(
    'INVALID_PROOF',
    `Expected one hash of ${HASH_BYTES} bytes for each sibling on the way to the root, found another shape; ask for the proof again.`,
  );
}
