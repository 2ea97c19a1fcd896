import { decodeKafka } from '@residency/cloudevents';
import type { ConsentEvent } from '@residency/consent';
import { CONSENT_TICK, readConsentEvent } from './consent-event.ts';
import type { NewRecord } from './log-record.ts';

/**
 * What a record of `threat.consents` says; `undefined`: a tick, or the tombstone of one. Whoever publishes consents controls it:
 * anything else throws with remedy `park`, and every view passes over it alike.
 */
export function readConsentRecord({ key, headers, value }: NewRecord): ConsentEvent | undefined {
  if (key?.toString('utf8') === 'tick' && value === null) return undefined;
  const event = decodeKafka({ headers, value });
  return event.type === CONSENT_TICK ? undefined : readConsentEvent(event);
}
