import { expect } from 'vitest';
import type { LedgerErrorCode } from '../src/index.ts';
import { LEDGER_ERROR_CODES, LedgerError } from '../src/index.ts';

/** The code that the call fails with; a failure of another kind is a defect and is thrown on. */
export async function codeOf(call: () => unknown): Promise<LedgerErrorCode | 'accepted'> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    expect(LEDGER_ERROR_CODES).toContain(error.code);
    expect(error.message).toMatch(/^Expected .*, found .*; .*\.$/);
    return error.code;
  }
  return 'accepted';
}

/** Every way to flip one bit. */
export function* bitFlips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = new Uint8Array(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield flipped;
  }
}
