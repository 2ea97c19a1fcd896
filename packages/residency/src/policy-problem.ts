export const POLICY_PROBLEM_CODES = [
  'INVALID_INSTANT',
  'EMPTY_INTERVAL',
  'DUPLICATE_REGION',
  'REGION_WITHOUT_SITE',
  'DUPLICATE_SITE',
  'TOO_FEW_SITES',
  'DUPLICATE_RULE',
  'UNDECLARED_REGION',
  'UNKNOWN_COUNTRY',
  'DUPLICATE_COUNTRY',
  'GAP',
  'OVERLAP',
] as const;
export type PolicyProblemCode = (typeof POLICY_PROBLEM_CODES)[number];

export interface PolicyProblem {
  readonly code: PolicyProblemCode;
  /** Names the rules, codes and instants concerned. */
  readonly message: string;
}
