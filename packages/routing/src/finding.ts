import type { DuplicateData, QuarantinedData, RefusedData, StoredData } from '@residency/contracts';

// What the audit event's place in the log adds: known only when the batch is settled.
type Placed = 'previous' | 'redriveOf';

/** What was found about one record; with its place in the log it becomes an audit event. */
export type Finding =
  | { readonly outcome: 'stored'; readonly data: Omit<StoredData, Placed> }
  | { readonly outcome: 'duplicate'; readonly data: Omit<DuplicateData, Placed> }
  | { readonly outcome: 'refused'; readonly data: Omit<RefusedData, Placed> }
  | {
      readonly outcome: 'quarantined';
      readonly data: Omit<QuarantinedData, Placed>;
      readonly detail: string;
    };
