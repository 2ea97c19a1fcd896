import {
  CHECKPOINT_PATH,
  LedgerReader,
  formatReceipt,
  inclusionProof,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
} from '@residency/ledger';
import type { ReadLedgerFile, TreeHead, Trust } from '@residency/ledger';
import { AuditingError } from '../auditing-error.ts';
import { findLeaf } from './find-leaf.ts';

export interface Proven {
  readonly index: number;
  readonly origin: string;
  readonly size: number;
  /** A `.tlog-proof` (docs/formats/ledger.md "Receipt"). */
  readonly receipt: Uint8Array;
}

/**
 * A receipt for an event under the newest checkpoint of its log's ledger. `topic`: the log's. Throws
 * `NOT_IN_LEDGER` if the ledger has no such leaf, or not yet, and the errors of `LedgerReader` for
 * a damaged ledger. With `trust` the checkpoint is verified first.
 */
export async function prove(
  read: ReadLedgerFile,
  leaf: Uint8Array,
  topic: string,
  trust?: Trust,
): Promise<Proven> {
  const checkpoint = await read(CHECKPOINT_PATH);
  if (checkpoint === undefined) throw notInLedger('no checkpoint');
  const head =
    trust === undefined
      ? parseCheckpoint(parseNote(checkpoint).text)
      : (await openCheckpoint(checkpoint, trust)).checkpoint;
  const reader = await LedgerReader.open(head, read);
  const index = await findLeaf(reader, leaf, topic);
  if (index === undefined) throw notInLedger(`none among its ${head.size} leaves`);
  return {
    index,
    origin: head.origin,
    size: head.size,
    receipt: await receiptOf(reader, head, index, checkpoint),
  };
}

async function receiptOf(
  reader: LedgerReader,
  { size }: TreeHead,
  index: number,
  checkpoint: Uint8Array,
): Promise<Uint8Array> {
  return formatReceipt({
    index,
    proof: await inclusionProof(size, index, (height, at) => reader.hash(height, at)),
    checkpoint,
  });
}

function notInLedger(found: string): AuditingError {
  return new AuditingError({
    code: 'NOT_IN_LEDGER',
    message: `Expected the event to be a leaf of its log's ledger, found ${found}; if it was settled just now, wait for the next checkpoint and ask again.`,
    remedy: 'retry',
  });
}
