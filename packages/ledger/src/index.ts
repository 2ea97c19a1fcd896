export type { Checkpoint } from './checkpoint.ts';
export { formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
export type { CompactRange } from './compact-range.ts';
export { EMPTY_RANGE, appendHashes, rootOf } from './compact-range.ts';
export { consistencyProof, verifyConsistency } from './consistency-proof.ts';
export { cosign, verifyCosignature } from './cosignature.ts';
export { MAX_ENTRY_BYTES, decodeEntryBundle, encodeEntryBundle } from './entry-bundle.ts';
export type { Growth, LedgerFile, LedgerState } from './growth.ts';
export { EMPTY_LEDGER, appendEntries, growth, partialFiles, stateRoot } from './growth.ts';
export { decodeHashTile, encodeHashTile } from './hash-tile.ts';
export { inclusionProof, verifyInclusion } from './inclusion-proof.ts';
export type { LedgerErrorCode } from './ledger-error.ts';
export { LEDGER_ERROR_CODES, LedgerError } from './ledger-error.ts';
export type { KeyFile, LedgerKeys } from './key-file.ts';
export {
  formatKeyFile,
  openLedgerKeys,
  parseKeyFile,
  verifierKeysOf,
  withNextKey,
  withoutLastKey,
} from './key-file.ts';
export type { ReadLedgerFile } from './ledger-reader.ts';
export { LedgerReader } from './ledger-reader.ts';
export type { SignatureType, VerifierKey } from './note-key.ts';
export { COSIGNATURE, NOTE_SIGNATURE, formatVerifierKey, parseVerifierKey } from './note-key.ts';
export type { VerifiedSignature } from './note-signature.ts';
export { signNote, verifyNote } from './note-signature.ts';
export type { Receipt, VerifiedReceipt } from './receipt.ts';
export { MAX_RECEIPT_BYTES, formatReceipt, parseReceipt, verifyReceipt } from './receipt.ts';
export type { OpenedCheckpoint, Trust } from './signed-checkpoint.ts';
export { openCheckpoint, signCheckpoint } from './signed-checkpoint.ts';
export type { NoteSignature, SignedNote } from './signed-note.ts';
export {
  MAX_NOTE_BYTES,
  MAX_SIGNATURES,
  formatNote,
  formatSignature,
  parseNote,
} from './signed-note.ts';
export type { Signer } from './signer.ts';
export { makeKey, openSignerKey } from './signer.ts';
export type { ReadHash } from './subtree.ts';
export type { Tile } from './tile-path.ts';
export { CHECKPOINT_PATH, TILE_WIDTH, parseTilePath, tilePath } from './tile-path.ts';
export { tilesOfGrowth } from './tiles-of-growth.ts';
export type { TreeHead } from './tree-head.ts';
export { MAX_TREE_SIZE } from './tree-head.ts';
export { HASH_BYTES, emptyRoot, leafHash, nodeHash } from './tree-hash.ts';
