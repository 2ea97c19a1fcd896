export const LEDGER_FAULT_CODES = [
  // The checkpoint
  'CHECKPOINT_MISSING',
  'CHECKPOINT_INVALID',
  'CHECKPOINT_UNTRUSTED',
  'ROOT_DIFFERS',
  'INCONSISTENT',
  'ROLLED_BACK',
  // A file
  'FILE_MISSING',
  'ENTRIES_DIFFER',
  'TILE_DIFFERS',
] as const;
export type LedgerFaultCode = (typeof LEDGER_FAULT_CODES)[number];

/**
 * The difference between a ledger and its checkpoint. `path`: the faulty file, as C2SP tlog-tiles
 * names it.
 */
export interface LedgerFault {
  readonly code: LedgerFaultCode;
  readonly path: string;
  readonly message: string;
}
