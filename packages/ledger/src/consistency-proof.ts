import { sameBytes } from './bytes.ts';
import { LedgerError } from './ledger-error.ts';
import { checkSize, isPowerOfTwo, siblingSides, split, subtreeHash } from './subtree.ts';
import type { ReadHash } from './subtree.ts';
import { checkTreeHead } from './tree-head.ts';
import type { TreeHead } from './tree-head.ts';
import { HASH_BYTES, emptyRoot, nodeHash } from './tree-hash.ts';

/**
 * PROOF(older, D[newer]) of RFC 6962 §2.1.2. Empty if the two are equal or the older is empty.
 * Throws `INVALID_SIZE` unless `older <= newer`.
 */
export async function consistencyProof(
  older: number,
  newer: number,
  read: ReadHash,
): Promise<Uint8Array[]> {
  checkSize(older);
  checkSize(newer);
  if (older > newer)
    throw new LedgerError(
      'INVALID_SIZE',
      'Expected the second size not to be below the first, found a smaller one; a ledger only grows.',
    );
  if (older === 0 || older === newer) return [];
  const parts: (readonly [from: number, to: number])[] = [];
  let [from, to] = [0, newer];
  while (older !== to) {
    const middle = from + split(to - from);
    parts.push(older <= middle ? [middle, to] : [from, middle]);
    if (older <= middle) to = middle;
    else from = middle;
  }
  // The rest is a subtree of the older tree. If it is the whole older tree, the verifier has its
  // root already.
  if (from > 0) parts.push([from, to]);
  return Promise.all(parts.toReversed().map(([first, end]) => subtreeHash(first, end, read)));
}

/**
 * RFC 9162 §2.1.4.2. Returns if the newer tree begins with the older one. Throws `INCONSISTENT` if
 * it does not, or is smaller: keep both checkpoints as evidence. Throws `INVALID_PROOF` if no proof
 * between these sizes has this shape.
 */
export function verifyConsistency(
  older: TreeHead,
  newer: TreeHead,
  proof: readonly Uint8Array[],
): void {
  checkTreeHead(older);
  checkTreeHead(newer);
  if (proof.some((hash) => hash.length !== HASH_BYTES)) throw shape();
  if (older.size > newer.size) throw inconsistent();
  if (older.size === 0 || older.size === newer.size) {
    if (proof.length > 0) throw shape();
    const roots = [older, newer].filter(({ size }) => size === older.size).map(({ root }) => root);
    const expected = older.size === 0 ? emptyRoot() : older.root;
    if (!roots.every((root) => sameBytes(root, expected))) throw inconsistent();
    return;
  }
  const [first, ...path] = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof;
  if (first === undefined) throw shape();
  const roots = climb(older.size - 1, newer.size - 1, first, path);
  if (!sameBytes(roots.older, older.root) || !sameBytes(roots.newer, newer.root))
    throw inconsistent();
}

/**
 * Climbs both trees at once, from the last leaf of the older tree, whose complete subtree both
 * trees share.
 */
function climb(
  olderLast: number,
  newerLast: number,
  first: Uint8Array,
  path: readonly Uint8Array[],
): { older: Uint8Array; newer: Uint8Array } {
  let [node, last] = [olderLast, newerLast];
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)];
  const sides = siblingSides(node, last);
  if (path.length !== sides.length) throw shape();
  let [older, newer] = [first, first];
  for (const [at, sibling] of path.entries()) {
    // A right sibling does not belong to the older tree.
    if (sides[at] === 'left') older = nodeHash(sibling, older);
    newer = sides[at] === 'left' ? nodeHash(sibling, newer) : nodeHash(newer, sibling);
  }
  return { older, newer };
}

function shape(): LedgerError {
  return new LedgerError(
    'INVALID_PROOF',
    `Expected the hashes of ${HASH_BYTES} bytes that prove one size from the other, found another shape; ask for the proof again.`,
  );
}

function inconsistent(): LedgerError {
  return new LedgerError(
    'INCONSISTENT',
    'Expected the newer tree to begin with the older one, found that it does not; keep both checkpoints as evidence and do not trust this ledger.',
  );
}
