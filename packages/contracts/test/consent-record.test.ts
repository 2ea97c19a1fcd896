import { encodeKafkaBinary, encodeKafkaStructured } from '@residency/cloudevents';
import { remedyOf } from '@residency/coded-error';
import type { ConsentEvent } from '@residency/consent';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consentCloudEvent } from '../src/consent-event.ts';
import { readConsentRecord } from '../src/consent-record.ts';
import { consentEntry } from '../src/log-entry.ts';
import { CONSENT_TICK } from '../src/vocabulary.ts';
import { SALT } from './arbitraries.ts';

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
          SALT,
        );
        expect(readConsentRecord(record)).toEqual(event);
      }),
    );
  });

  it.each([undefined, '', 'A5'.repeat(16), 'a5'.repeat(15)])(
    'reads none with the salt %j',
    (salt) => {
      const event = consentCloudEvent(
        { kind: 'withdrawn', consentId: 'consent-0001' },
        { id: 'e-1', source: 'urn:test' },
      );
      const record = {
        key: Buffer.from('k'),
        ...encodeKafkaStructured({ ...event, extensions: salt === undefined ? {} : { salt } }),
      };
      expect(() => readConsentRecord(record)).toThrow(
        expect.objectContaining({ code: 'INVALID_CONSENT_EVENT', remedy: 'park' }),
      );
    },
  );

  it('reads no consent under the key of ticks, which compaction removes', () => {
    const { record } = consentEntry(
      consentCloudEvent(
        { kind: 'withdrawn', consentId: 'consent-0001' },
        { id: 'e-1', source: 'urn:test' },
      ),
      SALT,
    );
    expect(() => readConsentRecord({ ...record, key: Buffer.from('tick') })).toThrow(
      expect.objectContaining({ code: 'INVALID_CONSENT_EVENT', remedy: 'park' }),
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
