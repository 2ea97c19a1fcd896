import { kindOf } from '@residency/auditing';
import { defined } from '@residency/defined';
import {
  CHECKPOINT_PATH,
  LedgerReader,
  TILE_WIDTH,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
} from '@residency/ledger';
import type { ReadLedgerFile, VerifierKey } from '@residency/ledger';
import type { LedgerFacts } from '@residency/observation';

/**
 * The checkpoint, the partial tiles and the last entries. Throws the errors of `openCheckpoint` and
 * `LedgerReader`.
 */
export async function readLedgerFacts(
  topic: string,
  read: ReadLedgerFile,
  keys: readonly VerifierKey[],
): Promise<Pick<LedgerFacts, 'size' | 'verified' | 'last'>> {
  const checkpoint = await read(CHECKPOINT_PATH);
  if (checkpoint === undefined) return { verified: false };
  const head =
    keys.length === 0
      ? parseCheckpoint(parseNote(checkpoint).text)
      : (await openCheckpoint(checkpoint, { keys })).checkpoint;
  const reader = await LedgerReader.open(head, read);
  const last =
    head.size === 0
      ? undefined
      : lastOrder(topic, await reader.entries(Math.floor((head.size - 1) / TILE_WIDTH)));
  return { size: head.size, verified: keys.length > 0, ...defined({ last }) };
}

function lastOrder(topic: string, entries: readonly Uint8Array[]): bigint | undefined {
  return entries
    .map((entry) => kindOf(topic).orderOf(entry))
    .findLast((order) => order !== undefined);
}
