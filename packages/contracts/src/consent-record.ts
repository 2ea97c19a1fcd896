import { decodeKafka } from '@residency/cloudevents';
import type { ConsentEvent } from '@residency/consent';
import { remedyOf } from '@residency/coded-error';
import { readConsentEvent } from './consent-event.ts';
import { ContractError } from './contract-error.ts';
import { hasTickKey } from './log-record.ts';
import type { NewRecord } from './log-record.ts';
import { requireSalt } from './salted.ts';
import { CONSENT_TICK } from './vocabulary.ts';

/**
 * Reads a record of `threat.consents`. Returns `undefined` for a tick or the tombstone of a tick.
 * The publisher of consents controls the bytes. Anything else throws with remedy `park`, and every
 * view skips the record.
 */
export function readConsentRecord({ key, headers, value }: NewRecord): ConsentEvent | undefined {
  const isTick = hasTickKey({ key });
  if (isTick && value === null) return undefined;
  try {
    const event = decodeKafka({ headers, value });
    if (event.type === CONSENT_TICK) return undefined;
    // Compaction removes it, and no ledger has it.
    if (isTick) throw new TypeError('Expected a tick under the key of ticks.');
    requireSalt(event);
    return readConsentEvent(event);
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
