import { LedgerError } from './ledger-error.ts';
import { HASH_BYTES } from './tree-hash.ts';

/** The number of leaves, and the RFC 6962 root over them. A checkpoint states them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Sizes are numbers, so at most 2^53 - 1. A ledger with a million entries a second would reach it
 * in 285 years.
 */
export const MAX_TREE_SIZE = Number.MAX_SAFE_INTEGER;

export function isTreeSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}

export function checkTreeHead({ size, root }: TreeHead): void {
  if (!isTreeSize(size))
    throw new LedgerError(
      'INVALID_CHECKPOINT',
      'Expected a tree size of 0 to 2^53 - 1, found another value; do not trust this checkpoint.',
    );
  if (root.length !== HASH_BYTES)
    throw new LedgerError(
      'INVALID_CHECKPOINT',
      `Expected a root of ${HASH_BYTES} bytes, found ${root.length}; do not trust this checkpoint.`,
    );
}
