import { createHash } from 'node:crypto';
import { MAX_ENTRY_BYTES } from '@residency/ledger';

/**
 * The leaf of an audit record: its value, byte for byte. Two kinds of values that cannot be events
 * have leaves too (docs/formats/ledger.md, "Order"): a missing value is the empty leaf, and a value
 * that is too long for a leaf is its digest and length. Everybody with write access to the audit
 * log controls the value.
 */
export function leafOf(value: Uint8Array | null): Uint8Array {
  if (value === null) return new Uint8Array();
  if (value.length <= MAX_ENTRY_BYTES) return value;
  return Buffer.from(
    `{"bytes":${value.length},"sha256":"${createHash('sha256').update(value).digest('hex')}"}`,
  );
}
