export { assess } from './assess.ts';
export type { AppendTimeLead } from './broker-clocks.ts';
export { failed, ok, unknown, wrong } from './check-result.ts';
export type { CheckResult } from './check-result.ts';
export { IntakeObserver } from './intake-observer.ts';
export { LIMITS } from './limits.ts';
export type { AlertComparison, Limit, LimitName, Limits } from './limits.ts';
export { limitsReference } from './limits-reference.ts';
export { observeConsents } from './observe-consents.ts';
export type { PositionedView } from './observe-consents.ts';
export { OldestUnsettled } from './oldest-unsettled.ts';
export { isLost } from './ports/intake-log.ts';
export type {
  IntakeLog,
  IntakeProgress,
  LogAhead,
  TopicIdentity,
  Undecided,
} from './ports/intake-log.ts';
export { secondsText } from './seconds-text.ts';
export { inForceIn, knownOf, unsettledIn } from './snapshot.ts';
export type {
  ClockFacts,
  CopyFacts,
  IntakeFacts,
  LedgerFacts,
  Observed,
  OpenTransaction,
  PartitionFacts,
  PolicyFacts,
  Readiness,
  Reason,
  ServiceFacts,
  Snapshot,
  ViewFacts,
} from './snapshot.ts';
