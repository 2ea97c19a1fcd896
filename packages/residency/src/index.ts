export { canonicalJson } from './canonical-json.ts';
export { BEGINNING_OF_TIME, formatInstant, parseInstant } from './instant.ts';
export type { Instant } from './instant.ts';
export { BASES, CONFIDENCES } from './policy.ts';
export type { Basis, Confidence, PolicyDocument, PolicyPublished, PolicyRegion, PolicyRule, PolicyVersion } from './policy.ts';
