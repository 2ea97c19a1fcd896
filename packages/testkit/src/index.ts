export {
  MemoryLedgerSource,
  auditPartition,
  auditRecord,
  someAuditEvent,
  someAuditRecords,
} from './audit-log.ts';
export { describeAuditFeed } from './audit-feed-suite.ts';
export type { AuditFeedHarness } from './audit-feed-suite.ts';
export { describeAuditRestorer } from './audit-restorer-suite.ts';
export type { AuditRestorerHarness } from './audit-restorer-suite.ts';
export { describeKeyUnwrapper } from './key-unwrapper-suite.ts';
export type { KeyUnwrapperHarness } from './key-unwrapper-suite.ts';
export { MemoryKeyService } from './memory-key-service.ts';
export type { KeyServiceFault } from './memory-key-service.ts';
export { describeLedgerSource } from './ledger-source-suite.ts';
export type { LedgerSourceHarness } from './ledger-source-suite.ts';
export { someCustodyEvent, someCustodyEvents } from './custody-events.ts';
export type { SomeCustodyEventOptions } from './custody-events.ts';
export { describeCustodyLog } from './custody-log-suite.ts';
export type { CustodyLogHarness } from './custody-log-suite.ts';
export { FaultyLedgerStore, LedgerFault } from './faulty-ledger-store.ts';
export { describeLedgerStore } from './ledger-store-suite.ts';
export type { LedgerStorePlace } from './ledger-store-suite.ts';
export { MemoryCustodianSite } from './memory-custodian-site.ts';
export { MemoryLedgerStore } from './memory-ledger-store.ts';
export { MemoryObjectStore } from './memory-object-store.ts';
export { MemoryRegisterStore } from './memory-register-store.ts';
export { describeRegisterStore } from './register-store-suite.ts';
export type { RegisterStoreHarness } from './register-store-suite.ts';
export { RoutingWorld, SOME_CONSENT, submissionEvent, transparentSealer } from './routing-world.ts';
export type { SubmissionFields } from './routing-world.ts';
export { SALT } from './salt.ts';
export { SHIPPED_POLICY } from './shipped-policy.ts';
export { FaultyObjectStore } from './faulty-object-store.ts';
export { FaultyCustodianSite } from './faulty-custodian-site.ts';
export { InjectedFault, STORE_FAULTS, faultAt, seededFaults } from './planned-faults.ts';
export type { FaultPlan, StoreCall, StoreFault } from './planned-faults.ts';
export { describeCustodianSite, exampleTombstone } from './custodian-site-suite.ts';
export type { CustodianSiteHarness } from './custodian-site-suite.ts';
export { describeObjectStore, exampleObject } from './object-store-suite.ts';
export type { ExampleObject, ObjectStoreSite } from './object-store-suite.ts';
export { describeSiteMarker } from './site-marker-suite.ts';
export type { MarkedSite } from './site-marker-suite.ts';
export { describeConsentView } from './consent-view-suite.ts';
export type { ConsentViewHarness } from './consent-view-suite.ts';
export { describeControlView } from './control-view-suite.ts';
export type { ControlViewHarness } from './control-view-suite.ts';
export { eventually } from './eventually.ts';
export { RawConnection } from './raw-connection.ts';
export { describePolicyView } from './policy-view-suite.ts';
export type { PolicyViewHarness } from './policy-view-suite.ts';
export { describeSettledOutcomes } from './settled-outcomes-suite.ts';
export type { SettledOutcomesHarness } from './settled-outcomes-suite.ts';
export { describeSubmissionLog } from './submission-log-suite.ts';
export type { SubmissionLogHarness, SubmissionLogSettings } from './submission-log-suite.ts';
export { describeSubmissionList } from './submission-list-suite.ts';
export type { SubmissionListHarness } from './submission-list-suite.ts';
export { QUARANTINE_ME, settlementsOf } from './test-settlement.ts';
export {
  VAULT_NOW,
  VAULT_PURPOSES,
  VAULT_SAMPLE,
  VAULT_SUBMISSION,
  VaultWorld,
  accessIdAt,
  accessOrder,
  asker,
  vaultStoredEvent,
} from './vault-world.ts';
export type { VaultFault } from './vault-world.ts';
