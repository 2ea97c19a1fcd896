export { Custodian } from './custodian.ts';
export type { AccessDesk, CustodianDeps, OpenRepair, RoundReport, TakeOver } from './custodian.ts';
export type { AccessFact } from './custody-head.ts';
export { AccessBook } from './access-book.ts';
export type { Access, AccessTerms, AccessUse } from './access-book.ts';
export { changeArbiter } from './change-arbiter.ts';
export type { ArbiterChange, ChangeArbiterDeps } from './change-arbiter.ts';
export { findClaims } from './find-claims.ts';
export type { FindClaimsDeps, FoundClaims, ListedSites } from './find-claims.ts';
export type { ErasureReport } from './erasures.ts';
export type { LossReport } from './losses.ts';
export { KeySet } from './key-set.ts';
export { storedObjects } from './stored-objects.ts';
export type { StoredObjects } from './stored-objects.ts';
export type { SiteDebts } from './debts.ts';
export { PASSED_OVER_CODES } from './open-register.ts';
export type { PassedOverCode } from './open-register.ts';
export { registerTopics } from './register-format.ts';
export type { RegisterTopics } from './register-format.ts';
export type { RegisterKeeping } from './register-keeper.ts';
export {
  COPY_BYTES,
  CUSTODIAN_SITE_ERROR_CODES,
  CustodianSiteError,
  copyTooLarge,
  setAsideDiffers,
} from './custodian-site-error.ts';
export type { CustodianSiteErrorCode } from './custodian-site-error.ts';
export type { AuditFeed, AuditFeedRecord } from './ports/audit-feed.ts';
export type { CustodianSite, FoundCopy, NewCopy, Purged, Written } from './ports/custodian-site.ts';
export type { CustodianSites } from './ports/custodian-sites.ts';
export type { CustodyLog, CustodyReading, CustodyRecord } from './ports/custody-log.ts';
export type { RegisterStore } from './ports/register-store.ts';
export type { SubmissionList } from './ports/submission-list.ts';
