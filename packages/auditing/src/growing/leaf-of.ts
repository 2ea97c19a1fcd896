import { createHash } from 'node:crypto';
import { MAX_ENTRY_BYTES } from '@residency/ledger';

/**
 * The leaf of an audit record: its value, byte for byte. What can be no event has one all the same (docs/formats/ledger.md, "Order"): no value
 * is the empty leaf, and a value longer than a leaf may be is its digest and length. Whoever may write to the audit log controls the value.
 */
export function leafOf(value: Uint8Array | null): Uint8Array {
  if (value === null) return new Uint8Array();
  if (value.length <= MAX_ENTRY_BYTES) return value;
  return Buffer.from(
    `{"bytes":${value.length},"sha256":"${createHash('sha256').update(value).digest('hex')}"}`,
  );
}
