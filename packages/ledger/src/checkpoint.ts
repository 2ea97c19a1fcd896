import { decodeBase64, encodeBase64 } from './base64.ts';
import { sameBytes } from './bytes.ts';
import { parseDecimal } from './decimal.ts';
import { LedgerError } from './ledger-error.ts';
import { isNoteLine } from './note-text.ts';
import { checkTreeHead } from './tree-head.ts';
import type { TreeHead } from './tree-head.ts';
import { HASH_BYTES, emptyRoot } from './tree-hash.ts';

/** C2SP tlog-checkpoint: the tree head of the ledger that its origin names. */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
  /** Extension lines in order. They have no meaning here, and auditors cannot verify them. */
  readonly extensions: readonly string[];
}

/** The text of a checkpoint, ready for signing. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  check(checkpoint);
  const { origin, size, root, extensions } = checkpoint;
  return [origin, String(size), encodeBase64(root), ...extensions]
    .map((line) => `${line}\n`)
    .join('');
}

/** The inverse of `formatCheckpoint`. Throws `INVALID_CHECKPOINT` for any other text. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', decimal = '', base64 = '', ...rest] = text.split('\n');
  const size = parseDecimal(decimal);
  const root = decodeBase64(base64);
  if (size === undefined || root?.length !== HASH_BYTES || rest.pop() !== '')
    throw invalid('the lines origin, size in decimal and root in base64');
  const checkpoint = { origin, size, root, extensions: rest };
  check(checkpoint);
  return checkpoint;
}

function check(checkpoint: Checkpoint): void {
  checkTreeHead(checkpoint);
  if (![checkpoint.origin, ...checkpoint.extensions].every((line) => isNoteLine(line)))
    throw invalid('lines that are not empty and have no control character');
  if (checkpoint.size === 0 && !sameBytes(checkpoint.root, emptyRoot()))
    throw invalid("the empty tree's root at size 0");
}

function invalid(expected: string): LedgerError {
  return new LedgerError(
    'INVALID_CHECKPOINT',
    `Expected a checkpoint with ${expected}, found another; do not trust it.`,
  );
}
