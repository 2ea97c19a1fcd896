import type { DuplicateData, QuarantinedData, RefusedData, StoredData } from '@residency/contracts';

// The audit event's place in the log is not part of it: it is known only at the settlement.
type Placed = 'previous' | 'redriveOf';

/** The result for one record. With the record's place in the log it becomes an audit event. */
export type RecordResult =
  | { readonly outcome: 'stored'; readonly data: Omit<StoredData, Placed> }
  | { readonly outcome: 'duplicate'; readonly data: Omit<DuplicateData, Placed> }
  | { readonly outcome: 'refused'; readonly data: Omit<RefusedData, Placed> }
  | {
      readonly outcome: 'quarantined';
      readonly data: Omit<QuarantinedData, Placed>;
      readonly detail: string;
    };
