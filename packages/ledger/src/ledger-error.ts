import { CodedError } from '@residency/coded-error';

export const LEDGER_ERROR_CODES = [
  'INVALID_ENTRY',
  'INVALID_ENTRY_BUNDLE',
  'INVALID_TILE',
  'INVALID_TILE_PATH',
  'TILE_MISSING',
  'INVALID_SIZE',
  'INVALID_KEY',
  'INVALID_NOTE',
  'INVALID_CHECKPOINT',
  'INVALID_PROOF',
  'INVALID_RECEIPT',
  'INVALID_TRUST',
  'KEY_UNKNOWN',
  'SIGNATURE_INVALID',
  'ORIGIN_MISMATCH',
  'QUORUM_MISSED',
  'ROOT_MISMATCH',
  'INCONSISTENT',
  'CRYPTO_UNAVAILABLE',
] as const;
export type LedgerErrorCode = (typeof LEDGER_ERROR_CODES)[number];

/**
 * A violation of what the ledger promises. The message repeats no value from outside and no key.
 */
export class LedgerError extends CodedError<LedgerErrorCode> {
  constructor(code: LedgerErrorCode, message: string, cause?: unknown) {
    // A failed verification needs a person, because skipping an entry would itself be a fault. Only
    // a missing tile may still appear.
    super({ code, message, remedy: code === 'TILE_MISSING' ? 'retry' : 'stop', cause });
  }
}
