import type { AuditEvent, LogRecord, TopicPartition } from '@residency/contracts';
import type { AuditRecord } from '../audit-record.ts';

/** A log as it is now, for a comparison with its ledger. */
export interface LogReading {
  /** The first part of positions. */
  readonly log: string;
  readonly of: TopicPartition;
  /** The committed records, in order, up to the log's end at the call. */
  records(): AsyncIterable<readonly AuditRecord[]>;
}

/** One partition of the audit log. */
export interface AuditReading extends LogReading {
  /** The committed position: the intake offset at which routing goes on; `null`: none. */
  committed(): Promise<bigint | null>;
  /** The committed records of the intake partition at or behind an offset, in order. */
  intake(from: bigint): AsyncIterable<LogRecord>;
  /**
   * The offset that the next intake record gets. `undefined`: an append moves it beyond the records
   * that the entries are about.
   */
  intakeEnd(): Promise<bigint | undefined>;
}

/** An entry of a ledger that goes back into the audit log. */
export interface RestoredEntry {
  readonly value: Buffer;
  /** Absent: the entry is not an event about an intake record of this partition. */
  readonly event?: AuditEvent;
}

/**
 * The exclusive right to append to one partition of the audit log. Routers that settled the
 * partition before have lost it: none of their transactions can commit any more.
 *
 * Errors have remedy `retry` if the same call may succeed later; then it may have done all of it.
 * The caller reads the log again before it repeats.
 */
export interface AuditRestorer extends AuditReading {
  /**
   * Appends all entries or none, in order, durable and visible once it resolves. Commits `next` as
   * the position with them: the one at which routing goes on after the last append; `null`: none.
   * Without entries it commits the position alone.
   */
  append(entries: readonly RestoredEntry[], next: bigint | null): Promise<void>;
}

/**
 * The exclusive right to append to a region's custody log. Custodians that had it before have lost
 * it. Errors as for `AuditRestorer`.
 */
export interface CustodyRestorer extends LogReading {
  /**
   * Appends all values or none, byte for byte and in order, durable and visible once it resolves.
   * They need not be custody events.
   */
  restore(values: readonly Buffer[]): Promise<void>;
}
