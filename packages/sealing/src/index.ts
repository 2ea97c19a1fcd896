export type { SealedSample, SealingContext } from './sealing-context.ts';
