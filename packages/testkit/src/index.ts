export { MemoryAuditSource, auditRecord, someAuditEvent, someAuditRecords } from './audit-log.ts';
export { describeAuditRestorer } from './audit-restorer-suite.ts';
export type { AuditRestorerHarness } from './audit-restorer-suite.ts';
export { describeAuditSource } from './audit-source-suite.ts';
export type { AuditSourceHarness } from './audit-source-suite.ts';
export { FaultyLedgerStore, LedgerFault } from './faulty-ledger-store.ts';
export { describeLedgerStore } from './ledger-store-suite.ts';
export type { LedgerStorePlace } from './ledger-store-suite.ts';
export { MemoryLedgerStore } from './memory-ledger-store.ts';
export { MemoryObjectStore } from './memory-object-store.ts';
export { RoutingWorld, SOME_CONSENT, submissionEvent, transparentSealer } from './routing-world.ts';
export type { SubmissionFields } from './routing-world.ts';
export {
  FaultyObjectStore,
  InjectedFault,
  STORE_FAULTS,
  faultAt,
  seededFaults,
} from './faulty-object-store.ts';
export type { FaultPlan, StoreCall, StoreFault } from './faulty-object-store.ts';
export { describeObjectStore, exampleObject } from './object-store-suite.ts';
export type { ExampleObject, ObjectStoreSite } from './object-store-suite.ts';
export { describeSiteMarker } from './site-marker-suite.ts';
export type { MarkedSite } from './site-marker-suite.ts';
export { describeConsentView } from './consent-view-suite.ts';
export type { ConsentViewHarness } from './consent-view-suite.ts';
export { describeControlView } from './control-view-suite.ts';
export type { ControlViewHarness } from './control-view-suite.ts';
export { eventually } from './eventually.ts';
export { describePolicyView } from './policy-view-suite.ts';
export type { PolicyViewHarness } from './policy-view-suite.ts';
export { describeSettledOutcomes } from './settled-outcomes-suite.ts';
export type { SettledOutcomesHarness } from './settled-outcomes-suite.ts';
export { describeSubmissionLog } from './submission-log-suite.ts';
export type { SubmissionLogHarness, SubmissionLogSettings } from './submission-log-suite.ts';
export { QUARANTINE_ME, settlementsOf } from './test-settlement.ts';
