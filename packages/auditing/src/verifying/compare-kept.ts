import {
  CHECKPOINT_PATH,
  LedgerReader,
  consistencyProof,
  parseCheckpoint,
  parseNote,
  verifyConsistency,
} from '@residency/ledger';
import type { Checkpoint, ReadLedgerFile, TreeHead } from '@residency/ledger';
import { hasCode } from '@residency/coded-error';
import { nextHeadPath } from '../growing/ledger-paths.ts';
import type { LedgerFault } from './ledger-fault.ts';

/** The path in a fault of the kept checkpoint, which is no file of the ledger. */
export const KEPT_PATH = 'the checkpoint kept apart';

/**
 * Checks that a ledger begins with its kept checkpoint; `undefined`: it does. `kept` must be read
 * before this call: a checkpoint is kept before it is published, so then only a head that was
 * chosen and not published yet may be ahead. Does not check signatures. Throws the errors of `read`
 * and `LedgerReader`.
 */
export async function compareKept(
  read: ReadLedgerFile,
  kept: Uint8Array | undefined,
): Promise<LedgerFault | undefined> {
  if (kept === undefined) return undefined;
  const older = headIn(kept);
  if (older === undefined)
    return {
      code: 'ROLLED_BACK',
      path: KEPT_PATH,
      message:
        "Expected a checkpoint of this ledger, found something else; restore the file, or name the place that is this log's.",
    };
  const bytes = await read(CHECKPOINT_PATH);
  const head = bytes === undefined ? undefined : headIn(bytes);
  if (head !== undefined && head.origin !== older.origin)
    return {
      code: 'ROLLED_BACK',
      path: KEPT_PATH,
      message:
        "Expected a checkpoint of this ledger, found one of another origin; name the place that is this log's.",
    };
  const size = head?.size ?? 0;
  if (older.size > size)
    return (await isDecided(read, size, older)) ? undefined : behind(older.size, size);
  return head === undefined || (await beginsWith(read, head, older))
    ? undefined
    : rewritten(older.size, size);
}

function headIn(bytes: Uint8Array): Checkpoint | undefined {
  try {
    return parseCheckpoint(parseNote(bytes).text);
  } catch {
    return undefined;
  }
}

async function isDecided(read: ReadLedgerFile, size: number, kept: TreeHead): Promise<boolean> {
  const bytes = await read(nextHeadPath(size));
  try {
    const next =
      bytes === undefined
        ? undefined
        : parseCheckpoint(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return (
      next !== undefined && next.size === kept.size && Buffer.compare(next.root, kept.root) === 0
    );
  } catch {
    return false;
  }
}

async function beginsWith(read: ReadLedgerFile, head: TreeHead, older: TreeHead): Promise<boolean> {
  const reader = await LedgerReader.open(head, read);
  try {
    verifyConsistency(
      older,
      head,
      await consistencyProof(older.size, head.size, (height, index) => reader.hash(height, index)),
    );
    return true;
  } catch (error) {
    if (hasCode(error, 'INCONSISTENT')) return false;
    throw error;
  }
}

function behind(kept: number, size: number): LedgerFault {
  return {
    code: 'ROLLED_BACK',
    path: KEPT_PATH,
    message: `Expected a ledger that has grown since the checkpoint kept apart, of ${kept} entries, found one of ${size}: an older copy was put back, or it was cut. If the log still has the events, the auditor adds them; otherwise see docs/how-to/back-up-and-restore.md.`,
  };
}

function rewritten(kept: number, size: number): LedgerFault {
  return {
    code: 'ROLLED_BACK',
    path: KEPT_PATH,
    message: `Expected the ledger of ${size} entries to begin with the ${kept} of the checkpoint kept apart, found that it does not: its past was rewritten. Keep both, they are evidence; docs/how-to/back-up-and-restore.md says how to go on.`,
  };
}
