export { CustodyIndex } from './custody-index.ts';
export { compareLedgers } from './compare-ledgers.ts';
export type { ComparedLedger, LedgerComparison } from './compare-ledgers.ts';
export { LEDGER_DIFFERENCE_CODES } from './ledger-difference.ts';
export type { LedgerDifference, LedgerDifferenceCode } from './ledger-difference.ts';
export type { LedgerView } from './opened-ledger.ts';
export { DIFFERENCE_CODES } from './difference.ts';
export type { Difference, DifferenceCode } from './difference.ts';
export { REPAIR_MODES, RepairableCopies, orderRepairs } from './repairs-due.ts';
export type { RepairLogs, RepairMode, SiteRepair } from './repairs-due.ts';
export { RETENTION_MODES, Retention } from './retention.ts';
export type { OverdueSamples, RetentionDeps, RetentionMode } from './retention.ts';
export { PolicyBook, sitesByRegion } from './policy-book.ts';
export type { ClaimedDecision, PolicyQuestions, ReadPolicies } from './policy-book.ts';
export type { AuditTrail } from './ports/audit-trail.ts';
export type { PlacedObject, ReadingProgress } from './ports/reading-progress.ts';
export type {
  BoundContext,
  OpenSealed,
  ReadSealedHeader,
  SealedHeader,
} from './ports/sealed-reader.ts';
export type { FoundEntry, FoundObject, SiteReader } from './ports/site-reader.ts';
export { reconcile } from './reconcile.ts';
export type { ReconcileDeps } from './reconcile-deps.ts';
export type { ReconcileOptions } from './reconcile.ts';
export type { AlsoIn, Listed, OwedCopies, ReconciliationReport } from './report.ts';
export { watched, watchedList } from './watched.ts';
