import { LedgerError } from './ledger-error.ts';
import { isTreeSize } from './tree-head.ts';
import { nodeHash } from './tree-hash.ts';

/**
 * Returns the root of a complete subtree of 2^height leaves, the `index`-th at that height.
 * `LedgerReader.hash` is one.
 */
export type ReadHash = (height: number, index: number) => Promise<Uint8Array>;

/**
 * RFC 6962 §2.1: the largest power of two smaller than `count`. A tree of that many leaves is split
 * there.
 */
export function split(count: number): number {
  return 2 ** (heightOf(count) - 1);
}

export function isPowerOfTwo(count: number): boolean {
  return count === 2 ** heightOf(count);
}

/**
 * The height of the smallest complete tree of at least `count` leaves. Without logarithms, because
 * they round.
 */
function heightOf(count: number): number {
  let height = 0;
  while (2 ** height < count) height += 1;
  return height;
}

/**
 * MTH(D[from:to]). A range between two splits of a tree is complete, or consists of complete
 * subtrees, each at a multiple of its size.
 */
export async function subtreeHash(from: number, to: number, read: ReadHash): Promise<Uint8Array> {
  const count = to - from;
  if (isPowerOfTwo(count)) return read(heightOf(count), from / count);
  const middle = from + split(count);
  return nodeHash(await subtreeHash(from, middle, read), await subtreeHash(middle, to, read));
}

/**
 * For each sibling on the path from a node to the root, its side. `last` is the last node at the
 * node's height. This is how RFC 9162 §2.1.3.2 and §2.1.4.2 climb. A proof has one hash for each
 * sibling.
 */
export function siblingSides(node: number, last: number): ('left' | 'right')[] {
  const sides: ('left' | 'right')[] = [];
  while (last > 0) {
    const left = node % 2 === 1 || node === last;
    sides.push(left ? 'left' : 'right');
    // The last node without a sibling is promoted to the next level, until it becomes a right
    // child.
    if (left) while (node % 2 === 0 && node > 0) [node, last] = [node / 2, Math.floor(last / 2)];
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return sides;
}

export function checkSize(size: number): void {
  if (!isTreeSize(size))
    throw new LedgerError(
      'INVALID_SIZE',
      'Expected a tree size of 0 to 2^53 - 1, found another value; take it from a verified checkpoint.',
    );
}
