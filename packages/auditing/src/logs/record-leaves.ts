import {
  digestLeaf,
  hasTickKey,
  offsetOfLeaf,
  recordForm,
  recordInForm,
} from '@residency/contracts';
import { MAX_ENTRY_BYTES } from '@residency/ledger';
import type { AuditAnomalyKind } from '../growing/audit-anomaly.ts';
import type { LedgerRecord } from '../ports/ledger-source.ts';
import type { CheckedLeaf, LeafCheck, LogKind } from './log-kind.ts';
import { RecentKeys } from './recent-keys.ts';

/**
 * A log in which the append time of a record decides. Its leaves are the records themselves, with
 * append time and offset; ticks are left out (docs/formats/record-leaf.md).
 */
export const RECORD_LOG: LogKind = recordLog(clearLeaf);

/** The same, but a leaf says nothing of its record: it is a digest, which the salt in the record hides. */
export const SALTED_LOG: LogKind = recordLog(digestLeaf);

function recordLog(leafOf: (record: LedgerRecord) => Uint8Array): LogKind {
  return {
    leafOf: (record) => (hasTickKey(record) ? undefined : leafOf(record)),
    timeOf: (leaf) => recordInForm(leaf)?.at,
    orderOf: offsetOfLeaf,
    compacted: true,
    check: () => new RecordLeaves(),
  };
}

/** A record whose form is too long for a ledger has its digest as leaf. */
function clearLeaf(record: LedgerRecord): Uint8Array {
  const form = recordForm(record);
  return form.length <= MAX_ENTRY_BYTES ? form : digestLeaf(record);
}

class RecordLeaves implements LeafCheck {
  readonly #keys = new RecentKeys();
  #last: bigint | undefined;

  follow(value: Uint8Array | null, key?: Buffer | null): CheckedLeaf | undefined {
    const leaf = value ?? new Uint8Array();
    const offset = offsetOfLeaf(leaf);
    if (offset === undefined) return undefined;
    return { faults: [...this.#faults(offset, key === undefined ? recordInForm(leaf)?.key : key)] };
  }

  *#faults(offset: bigint, key: Buffer | null | undefined): Generator<AuditAnomalyKind> {
    if (this.#last !== undefined && offset <= this.#last) yield 'REPEAT';
    this.#last = offset;
    if (key !== undefined && key !== null && this.#keys.repeats(key)) yield 'REPEATED_KEY';
  }
}
