export { BackOff } from './back-off.ts';
export type { BackOffLimits } from './back-off.ts';
export { checkResult } from './check-result.ts';
export type { ConsentReading, ConsentView } from './ports/consent-view.ts';
export type { ControlView } from './ports/control-view.ts';
export type {
  CreateOptions,
  CreateResult,
  ObjectHead,
  ObjectStore,
  Owable,
} from './ports/object-store.ts';
export type { PolicyReading, PolicyView } from './ports/policy-view.ts';
export type { SettledOutcome, SettledOutcomes } from './ports/settled-outcomes.ts';
export type { Sealer } from './ports/sealer.ts';
export type { Sites } from './ports/sites.ts';
export type {
  Batch,
  BatchResult,
  Blocked,
  ConsumeOptions,
  RouteBatch,
  Settlement,
  SubmissionLog,
} from './ports/submission-log.ts';
export { createRouter } from './router.ts';
export type { RouterDeps } from './router.ts';
export { blocksByItself } from './set-aside.ts';
export { ROUTING_ERROR_CODES, RoutingError } from './routing-error.ts';
export type { RoutingErrorCode } from './routing-error.ts';
export type { OnStage, Stage } from './stages.ts';
export { verifyRegions } from './verify-regions.ts';
export type { RegionsDeps } from './verify-regions.ts';
