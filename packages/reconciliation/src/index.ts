export { DIFFERENCE_CODES } from './difference.ts';
export type { Difference, DifferenceCode } from './difference.ts';
export type { AuditTrail } from './ports/audit-trail.ts';
export type { BoundContext, OpenSealed, ReadSealedHeader, SealedHeader } from './ports/sealed-reader.ts';
export type { FoundEntry, FoundObject, SiteReader } from './ports/site-reader.ts';
export { reconcile } from './reconcile.ts';
export type { ClaimedDecision, ReconcileDeps, ReconcileOptions } from './reconcile.ts';
export type { AlsoIn, Listed, ReconciliationReport } from './report.ts';
