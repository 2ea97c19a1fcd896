export { isAssigned, twoLetterCode } from './assigned-code.ts';
export { canonicalJson, canonicalWriter } from './canonical-json.ts';
export type { Shape } from './canonical-json.ts';
export { checkPolicy } from './check-policy.ts';
export { COUNTRIES } from './countries.ts';
export { decide } from './decide.ts';
export type { Decision, KnownDecision } from './decide.ts';
export { BEGINNING_OF_TIME, formatInstant, parseInstant } from './instant.ts';
export type { Instant } from './instant.ts';
export {
  INVALID_POLICY_CODES,
  invalidPolicies,
  policyInForce,
  validPolicies,
} from './policy-in-force.ts';
export type { InvalidPolicy, InvalidPolicyCode } from './policy-in-force.ts';
export { policyDiff } from './policy-diff.ts';
export type { PolicyMove } from './policy-diff.ts';
export { POLICY_PROBLEM_CODES } from './policy-problem.ts';
export type { PolicyProblem, PolicyProblemCode } from './policy-problem.ts';
export { policySchedule } from './policy-schedule.ts';
export type { InForce } from './policy-schedule.ts';
export { JSON_DEPTH, JsonError, readJson, tryReadJson } from './read-json.ts';
export { BASES, CONFIDENCES, settleWith } from './policy.ts';
export type {
  Basis,
  Confidence,
  PolicyDocument,
  PolicyPublished,
  PolicyRegion,
  PolicyRule,
  PolicyVersion,
} from './policy.ts';
