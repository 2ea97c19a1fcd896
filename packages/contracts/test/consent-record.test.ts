import { encodeKafkaBinary, encodeKafkaStructured } from '@residency/cloudevents';
import { remedyOf } from '@residency/coded-error';
import type { ConsentEvent } from '@residency/consent';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consentCloudEvent } from '../src/consent-event.ts';
import { readConsentRecord } from '../src/consent-record.ts';
import { consentEntry } from '../src/log-entry.ts';
import { CONSENT_TICK } from '../src/vocabulary.ts';

const tick = {
  specversion: '1.0',
  id: 't-1',
  source: '/residency/consent-projector',
  type: CONSENT_TICK,
  extensions: {},
} as const;
const consentId = fc.stringMatching(/^[A-Za-z0-9_-]{8,16}$/);
const events: fc.Arbitrary<ConsentEvent> = fc.oneof(
  fc.record({ kind: fc.constant('withdrawn' as const), consentId }),
  fc.record({
    kind: fc.constant('granted' as const),
    consentId,
    purposes: fc.array(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
    termsVersion: fc.string({ minLength: 1, maxLength: 8 }),
  }),
);

describe('readConsentRecord', () => {
  it('reads what is published', () => {
    fc.assert(
      fc.property(events, (event) => {
        const { record } = consentEntry(
          consentCloudEvent(event, { id: 'e-1', source: 'urn:test' }),
        );
        expect(readConsentRecord(record)).toEqual(event);
      }),
    );
  });

  it.each([
    ['a structured tick', { key: Buffer.from('tick'), ...encodeKafkaStructured(tick) }],
    ['a binary tick', { key: Buffer.from('tick'), ...encodeKafkaBinary(tick) }],
    ['the tombstone of a tick', { key: Buffer.from('tick'), headers: [], value: null }],
  ])('finds nothing in %s', (_, record) => {
    expect(readConsentRecord(record)).toBeUndefined();
  });

  it.each([
    [
      'a tombstone of anything else',
      { key: Buffer.from('consent-0001/e-1'), headers: [], value: null },
    ],
    ['bytes that are no event', { key: null, headers: [], value: Buffer.from('{') }],
    [
      'an event of another kind',
      { key: null, ...encodeKafkaStructured({ ...tick, type: 'something.else.v1' }) },
    ],
  ])('refuses %s, to be parked', (_, record) => {
    let thrown: unknown;
    try {
      readConsentRecord(record);
    } catch (error) {
      thrown = error;
    }
    expect(remedyOf(thrown)).toBe('park');
  });
});
