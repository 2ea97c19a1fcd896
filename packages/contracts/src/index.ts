export { ALL_IN_SERVICE, hasClaim, sitesInService } from './region-service.ts';
export { ServiceHistory } from './service-history.ts';
export type { ServiceOfNumber } from './service-history.ts';
export type { ArbiterClosing, ClaimedIdentity, RegionService } from './region-service.ts';
export { auditEventIn, decodeAuditEvent, encodeAuditEvent, isStoredIn } from './audit-event.ts';
export type {
  AuditEvent,
  DuplicateData,
  Placement,
  QuarantinedData,
  RecordedDecision,
  RefusedData,
  StoredData,
  StoredEvent,
} from './audit-event.ts';
export {
  consentCloudEvent,
  readConsentEvent,
  readSubjectLink,
  subjectLinkCloudEvent,
} from './consent-event.ts';
export type { SubjectLink } from './consent-event.ts';
export { readConsentRecord } from './consent-record.ts';
export { CONTRACT_ERROR_CODES, ContractError } from './contract-error.ts';
export type { ContractErrorCode } from './contract-error.ts';
export { controlEntry, controlEventIn, readControlRecord } from './control-event.ts';
export type { ControlEvent } from './control-event.ts';
export {
  awaitedSites,
  evolveControl,
  followControl,
  logLevelOf,
  serviceOf,
  sitesLeaving,
  sitesOut,
} from './control-state.ts';
export type { ControlLogLevel, ControlState, LossOrder, RepairOrder } from './control-state.ts';
export {
  custodyDigest,
  custodyEntry,
  custodyEntryOf,
  custodyEventIn,
  decodeCustodyEvent,
  encodeCustodyEvent,
  isAccessEvent,
  isOfOrder,
  isWhereEvent,
  restoredCustodyEntry,
  sampleCopied,
  sampleErased,
  sampleEvent,
  sampleLost,
  storedSample,
} from './custody-event.ts';
export type { CustodyLink } from './custody-chain.ts';
export { CustodyChain } from './custody-chain.ts';
export { principal, purposeId } from './access-event.ts';
export type {
  AccessApprovedData,
  AccessRefusedData,
  AccessRequestedData,
  AccessedData,
} from './access-event.ts';
export type {
  AccessEvent,
  ClosedData,
  CopiedData,
  CopiedEvent,
  CustodyEntry,
  CustodyEvent,
  ErasedData,
  ErasedEvent,
  LossClosedData,
  LossRefusedData,
  LostData,
  LostEvent,
  NotRepairedData,
  RepairEvent,
  WhereEvent,
} from './custody-event.ts';
export { sha256, sha256OfParts, submissionId } from './digest.ts';
export { ATTRIBUTE_BYTES, AUDIT_EVENT_BYTES, DEFAULT_LIMITS, IDENTITY_BYTES } from './limits.ts';
export type { Limits } from './limits.ts';
export {
  auditEntry,
  auditEntryOf,
  consentEntry,
  consentTick,
  policyEntry,
  policyTick,
  quarantineEntry,
  subjectLinkEntry,
} from './log-entry.ts';
export type { LogEntry } from './log-entry.ts';
export { REDRIVE_HEADER, TOPICS, custodyTopic, hasTickKey, regionOfCustody } from './log-record.ts';
export type { CustodyTopic, LogRecord, NewRecord, Topic, TopicPartition } from './log-record.ts';
export {
  ERASURE_PROBE_KEYS,
  OBJECT_PREFIX,
  SET_ASIDE_PREFIX,
  SITE_MARKER_KEY,
  SITE_PROBE,
  SITE_PROBE_KEY,
  isSetAsideKey,
  objectKey,
  setAsideKey,
  submissionOfKey,
  submissionOfSetAsideKey,
} from './object-key.ts';
export { decodeObjectMetadata, encodeObjectMetadata, objectMetadataIn } from './object-metadata.ts';
export type { ObjectMetadata } from './object-metadata.ts';
export { differenceOf } from './same-record.ts';
export { policyDigest } from './policy-digest.ts';
export { isPolicyTick, readPolicy, readPolicyRecord } from './policy-event.ts';
export { namedOwner } from './named-owner.ts';
export type { NamedOwner } from './named-owner.ts';
export { digestLeaf, offsetOfLeaf, recordForm, recordInForm } from './record-leaf.ts';
export type { RecordContent } from './record-leaf.ts';
export { outcomeSummary } from './outcome-summary.ts';
export type { OutcomeSummary } from './outcome-summary.ts';
export { formatPosition, parsePosition } from './position.ts';
export type { Position } from './position.ts';
export { decodeQuarantinePointer, encodeQuarantinePointer } from './quarantine-pointer.ts';
export type { QuarantinePointer } from './quarantine-pointer.ts';
export { OUTCOMES, QUARANTINE_REASONS, REFUSAL_REASONS } from './reasons.ts';
export type { Outcome, QuarantineReason, RefusalReason } from './reasons.ts';
export { MarkerWatch } from './marker-watch.ts';
export type { MarkerWatchOptions } from './marker-watch.ts';
export { decodeSiteMarker, encodeSiteMarker } from './site-marker.ts';
export type { SiteIdentity } from './site-marker.ts';
export { readSubmission } from './submission.ts';
export type { Rejection, Submission } from './submission.ts';
export type { AccessForm, AccessRefusal, LossRefusal, UnpaidCode, Verdict } from './vocabulary.ts';
export {
  ACCESS_APPROVED,
  ACCESS_FORMS,
  ACCESS_ID,
  ACCESS_PRINCIPAL,
  ACCESS_REFUSALS,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  ACT_FAILED,
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  ARBITER_KEPT,
  ALL_SERVICES,
  CLAIMS_ENDED,
  CLAIMS_IN_EVENT,
  CLOCK_ACCEPTED,
  CONSENT_GRANTED,
  CONSENT_TICK,
  CONSENT_WITHDRAWN,
  CONTROL_LOG_LEVELS,
  CONTROL_PRINCIPAL,
  EXPORTED,
  EXPORT_BEGUN,
  EXPORT_FORMATS,
  INTAKE_DRAINING,
  KEY_ADD_BEGUN,
  KEY_RETIRE_BEGUN,
  LEDGER_KEY_CHANGES,
  LEDGER_KEY_CHANGE_BEGUN,
  LOG_LEVEL_SET,
  FOUND_OF_LOST,
  LOSS_ACCEPTED,
  LOSS_CLOSED,
  LOSS_REFUSALS,
  LOSS_REFUSED,
  LOST_OF_LEDGER,
  AUDIT_RESTORE_BEGUN,
  NEW_LEDGER_BEGUN,
  OPEN_BEGUN,
  ORDER_CLOSED,
  SAMPLE_NOT_REPAIRED,
  UNPAID_CODES,
  POLICY_PUBLISHED,
  POLICY_TICK,
  PUBLICATION_BEGUN,
  PURPOSE_ID,
  QUARANTINE_CLOSED,
  RECONCILE_OPEN_BEGUN,
  RECORD_SET_ASIDE,
  REDRIVE_BEGUN,
  REFERENCE,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
  SAMPLE_ACCESSED,
  SAMPLE_COPIED,
  SITE_IN,
  SITE_OUT,
  SITE_REPAIR_ORDERED,
  SITE_RETIRED,
  SUBJECT_LINKED,
  SUBMITTED,
  TOPIC_ACCEPTED,
  VERDICTS,
  ERASURE_ORDERED,
  HOLD_LIFTED,
  HOLD_PLACED,
  NAMED_IN_ORDER,
  SAMPLE_ERASED,
  SAMPLE_LOST,
} from './vocabulary.ts';
export { submissionEntry } from './submission-entry.ts';
export { FORMAT_LEVEL } from './format-level.ts';
export { INITIAL_CONTROL } from './initial-control.ts';
export { ErasureIndex, NO_ERASURES, erasable, isAbout } from './erasure-orders.ts';
export type { ErasableSample, ErasureOrder, Erasures, Hold } from './erasure-orders.ts';
export { withdrawalOrders, withdrawalsIn } from './withdrawal-orders.ts';
export type { Withdrawal } from './withdrawal-orders.ts';
export { tombstoneBytes, tombstoneOf } from './tombstone.ts';
export type { Tombstone } from './tombstone.ts';
