import { decodeKafka } from '@residency/cloudevents';
import type { ConsentEvent } from '@residency/consent';
import { remedyOf } from '@residency/coded-error';
import { readConsentEvent } from './consent-event.ts';
import { ContractError } from './contract-error.ts';
import type { NewRecord } from './log-record.ts';
import { CONSENT_TICK } from './vocabulary.ts';

/**
 * Reads a record of `threat.consents`. Returns `undefined` for a tick or the tombstone of a tick.
 * The publisher of consents controls the bytes. Anything else throws with remedy `park`, and every
 * view skips the record.
 */
export function readConsentRecord({ key, headers, value }: NewRecord): ConsentEvent | undefined {
  if (key?.toString('utf8') === 'tick' && value === null) return undefined;
  try {
    const event = decodeKafka({ headers, value });
    return event.type === CONSENT_TICK ? undefined : readConsentEvent(event);
  } catch (cause) {
    if (remedyOf(cause) === 'park') throw cause;
    // The result depends on the record alone. So any exception is the record's fault.
    throw new ContractError({
      code: 'INVALID_CONSENT_EVENT',
      message:
        'Expected a consent event as in docs/formats/consent.md, found a record that cannot be read. Correct the publisher.',
      remedy: 'park',
      cause,
    });
  }
}
