import type { TopicPartition } from '@residency/contracts';
import type { AuditAnomalyKind } from '../growing/audit-anomaly.ts';
import type { RegionIndex } from '../ports/region-index.ts';
import type { LedgerRecord } from '../ports/ledger-source.ts';

/** What an event says of its place in its log. */
export interface CheckedLeaf {
  readonly faults: readonly AuditAnomalyKind[];
  /** The position of the intake record that the event is about; absent: it is about none. */
  readonly position?: string;
  readonly submission?: string;
}

/** Checks the leaves of one log in order. */
export interface LeafCheck {
  /**
   * `undefined`: this is no event of such a log. `value`: of a record, or its leaf. `key`: of the
   * record, if it is at hand.
   */
  follow(value: Uint8Array | null, key?: Buffer | null): CheckedLeaf | undefined;
}

export interface LeafCheckOptions {
  /**
   * `false`: the first event is accepted as it is, because the events before it were not read.
   */
  readonly fromStart: boolean;
  /** The log that the events must belong to; absent: not checked. */
  readonly within?: TopicPartition & { readonly log: string };
  /** The regions of the whole audit log; absent: not compared. */
  readonly regions?: RegionIndex;
}

/** What the ledger over a log has to know of that log's records. */
export interface LogKind {
  /** `undefined`: the record is left out of the ledger. */
  readonly leafOf: (record: LedgerRecord) => Uint8Array | undefined;
  /** About when the record was appended, milliseconds, as the event says; `undefined`: unknown. */
  timeOf(leaf: Uint8Array): number | undefined;
  /** Increases from event to event in an honest log; `undefined`: no event. */
  orderOf(leaf: Uint8Array): bigint | undefined;
  /**
   * True if leaves name the offsets of their records, and the log may be compacted: then a record
   * before the ledger's end may be gone.
   */
  readonly compacted?: true;
  check(options: LeafCheckOptions): LeafCheck;
}
