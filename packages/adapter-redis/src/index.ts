export type { ProjectedPosition } from './projected-position.ts';
export type { Projected } from './read-projected.ts';
export { RedisConsentProjection } from './redis-consent-projection.ts';
export type { ProjectionAnswer, ProjectionStep } from './redis-consent-projection.ts';
export { RedisConsentView } from './redis-consent-view.ts';
export type { ViewPosition } from './redis-consent-view.ts';
export { REDIS_ERROR_CODES, RedisError } from './redis-error.ts';
export type { RedisErrorCode } from './redis-error.ts';
export type { RedisSettings, RedisTimeouts } from './redis-settings.ts';
