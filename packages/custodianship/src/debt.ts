import { auditEventIn, isStoredIn, storedSample } from '@residency/contracts';
import type { StoredEvent } from '@residency/contracts';
import { holdingOf } from '@residency/custody';
import type { Holding } from '@residency/custody';
import type { AuditFeedRecord } from './ports/audit-feed.ts';

/** A stored sample, with the place of its event in the audit log. */
export interface Debt {
  readonly partition: number;
  readonly offset: bigint;
  /** Append time T of its intake record, milliseconds. */
  readonly at: number;
  readonly holding: Holding;
  readonly event: StoredEvent;
  /** A site has a tombstone in its place: the others owe one, and nobody a copy. */
  readonly isErased: boolean;
  /** It was given up: no site owes a copy. If it was erased since, sites owe tombstones all the same. */
  readonly isLost: boolean;
}

/** `undefined`: the record is no `stored` event of the region. */
export function debtIn(
  partition: number,
  { offset, value }: AuditFeedRecord,
  region: string,
): Debt | undefined {
  const event = auditEventIn(value);
  return isStoredIn(region, event) ? debtOf(event, partition, offset) : undefined;
}

export function debtOf(event: StoredEvent, partition: number, offset: bigint): Debt {
  return {
    partition,
    offset,
    at: event.at,
    holding: holdingOf(storedSample(event)),
    event,
    isErased: false,
    isLost: false,
  };
}
