export const LEDGER_FAULT_CODES = [
  // The checkpoint
  'CHECKPOINT_MISSING',
  'CHECKPOINT_INVALID',
  'CHECKPOINT_UNTRUSTED',
  'ROOT_DIFFERS',
  'INCONSISTENT',
  // A file
  'FILE_MISSING',
  'ENTRIES_DIFFER',
  'TILE_DIFFERS',
] as const;
export type LedgerFaultCode = (typeof LEDGER_FAULT_CODES)[number];

/** Why a ledger is not what its checkpoint says; `path`: of the file that is at fault, as C2SP tlog-tiles names it. */
export interface LedgerFault {
  readonly code: LedgerFaultCode;
  readonly path: string;
  readonly message: string;
}
