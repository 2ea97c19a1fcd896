import { expect, it } from 'vitest';
import * as exported from '../src/index.ts';

it('exports what the README promises and nothing else', () => {
  expect(Object.keys(exported).toSorted()).toEqual([
    'CHECKPOINT_PATH', 'COSIGNATURE', 'EMPTY_LEDGER', 'EMPTY_RANGE', 'HASH_BYTES', 'LEDGER_ERROR_CODES', 'LedgerError', 'LedgerReader', 'MAX_ENTRY_BYTES', 'MAX_NOTE_BYTES', 'MAX_RECEIPT_BYTES',
    'MAX_SIGNATURES', 'MAX_TREE_SIZE', 'NOTE_SIGNATURE', 'TILE_WIDTH', 'appendEntries', 'appendHashes', 'consistencyProof', 'cosign', 'decodeEntryBundle', 'decodeHashTile', 'emptyRoot',
    'encodeEntryBundle', 'encodeHashTile', 'formatCheckpoint', 'formatNote', 'formatReceipt', 'formatSignature', 'formatVerifierKey', 'growth', 'inclusionProof', 'leafHash', 'makeKey', 'nodeHash',
    'openCheckpoint', 'openSignerKey', 'parseCheckpoint', 'parseNote', 'parseReceipt', 'parseTilePath', 'parseVerifierKey', 'partialFiles', 'rootOf', 'signCheckpoint', 'signNote', 'stateRoot',
    'tilePath', 'tilesOfGrowth', 'verifyConsistency', 'verifyCosignature', 'verifyInclusion', 'verifyNote', 'verifyReceipt',
  ]);
});
