export { CONSENT_REASONS, SAMPLE_SHARING, evolve, gate } from './consent.ts';
export type {
  ConsentDecision,
  ConsentEvent,
  ConsentGranted,
  ConsentHistory,
  ConsentInterval,
  ConsentReason,
  ConsentWithdrawn,
} from './consent.ts';
