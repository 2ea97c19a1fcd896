import { DEFAULT_LIMITS } from '@residency/contracts';

/** The assumed size of an object that no event names: the largest possible. */
export const UNKNOWN_BYTES = DEFAULT_LIMITS.sampleBytes;
