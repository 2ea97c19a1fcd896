import type { StoredEvent } from '@residency/contracts';
import type { AuditChain } from './audit-chain.ts';
import type { BoundedWork } from './bounded-work.ts';
import type { CustodyIndex } from './custody-index.ts';
import type { OrderBook } from './order-book.ts';
import type { ReachableSites } from './reachable-sites.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { ReportDraft } from './report.ts';

/** State that all passes of one run share. */
export interface Run {
  readonly deps: ReconcileDeps;
  readonly report: ReportDraft;
  readonly sites: ReachableSites;
  /** Filled by the first reading of the events. */
  readonly chain: AuditChain;
  /** Filled before the first reading of the events. */
  readonly custody: CustodyIndex;
  readonly orders: OrderBook;
  readonly work: BoundedWork;
  /** See `ReconcileOptions.onStored`. */
  readonly onStored: (event: StoredEvent, isGone: boolean) => Promise<void>;
  /** Called for each object that was listed. */
  readonly listed: () => void;
  /** Called for each object that was read and judged. */
  readonly judged: () => void;
}
