import { decodeKafka } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consentCloudEvent,
  consentEntry,
  readConsentEvent,
  readSubjectLink,
  readSubmission,
  subjectLinkCloudEvent,
  subjectLinkEntry,
  submissionEntry,
  submissionId,
} from '../src/index.ts';
import { SUBMITTED } from '../src/vocabulary.ts';
import { SALT } from './arbitraries.ts';

const event = (
  extensions: Record<string, string | number | boolean> = {},
  rest: Partial<CloudEvent> = {},
): CloudEvent => ({
  specversion: '1.0',
  id: '1',
  source: 'urn:test',
  type: SUBMITTED,
  extensions: {
    usercountry: 'CH',
    consentid: 'consent-0001',
    verdict: 'suspicious',
    ...extensions,
  },
  data: Buffer.from('x'),
  ...rest,
});

describe('a submission', () => {
  it('keeps what the contract names and nothing else', () => {
    expect(readSubmission(event({ filename: 'secret.doc', samplesha256: 'a'.repeat(64) }))).toEqual(
      {
        submission: submissionId({ source: 'urn:test', id: '1' }),
        consentId: 'consent-0001',
        userCountry: 'CH',
        verdict: 'suspicious',
        sampleSha256: 'a'.repeat(64),
        sample: Buffer.from('x'),
      },
    );
  });
  it('without data has an empty sample, for the size check to judge', () => {
    const { data: _, ...bare } = event();
    expect(readSubmission(bare)).toMatchObject({ sample: Buffer.alloc(0) });
  });
  it.each([
    'not-a-traceparent',
    `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
    `01-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  ])('drops the traceparent %s without complaint', (traceparent) => {
    expect(readSubmission(event({ traceparent }))).not.toHaveProperty('traceparent');
  });
  it.each<[string, string, CloudEvent]>([
    [
      'UNKNOWN_TYPE',
      'before an identity too long',
      event({}, { type: 'other', id: 'x'.repeat(1_025) }),
    ],
    ['UNKNOWN_TYPE', 'before any attribute', event({ verdict: 'x' }, { type: 'other' })],
    ['INVALID_ATTRIBUTE', 'a number for a country', event({ usercountry: 41 })],
    ['INVALID_ATTRIBUTE', 'an identity too long', event({}, { id: 'é'.repeat(513) })],
    ['INVALID_ATTRIBUTE', 'a value too long, counted in bytes', event({ other: 'é'.repeat(129) })],
    [
      'INVALID_ATTRIBUTE',
      'before classification',
      event({ verdict: 'x', dataclassification: 'y' }),
    ],
    ['CLASSIFICATION_UNKNOWN', 'a regulation', event({ dataregulation: 'GDPR' })],
  ])('is %s for %s', (reason, _, bad) => {
    expect(readSubmission(bad)).toMatchObject({ reason });
  });
  it('never repeats what a publisher wrote in a detail, nor throws', () => {
    const canary = 'CANARYc41f';
    const value = fc.oneof(
      fc.string().map((text) => canary + text),
      fc.constant(canary.repeat(100)),
      fc.integer(),
      fc.boolean(),
    );
    const name = fc.oneof(
      fc.constantFrom(
        'usercountry',
        'consentid',
        'verdict',
        'samplesha256',
        'partitionkey',
        'traceparent',
      ),
      fc.constant(canary.toLowerCase()),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        const result = readSubmission(
          event(Object.fromEntries(pairs), {
            type: pairs.length % 5 === 0 ? `${canary}.v1` : SUBMITTED,
          }),
        );
        expect('reason' in result ? result.detail.toLowerCase() : '').not.toContain(
          canary.toLowerCase(),
        );
      }),
    );
  });
});

describe('a record for the log', () => {
  it('is keyed by partitionkey, else consentid, else submission id', () => {
    const key = (e: CloudEvent): string | undefined => submissionEntry(e).record.key?.toString();
    expect(key(event({ partitionkey: 'p' }))).toBe('p');
    expect(key(event())).toBe('consent-0001');
    expect(key(event({ consentid: '' }))).toBe(submissionId({ source: 'urn:test', id: '1' }));
  });
  it('of a consent is keyed so that compaction keeps every event', () => {
    const consent = consentCloudEvent(
      { kind: 'withdrawn', consentId: 'consent-0001' },
      { id: 'e-1', source: 'urn:test' },
    );
    expect(consentEntry(consent, SALT)).toMatchObject({
      topic: 'threat.consents',
      record: { key: Buffer.from(`consent-0001/e-1/${SALT}`) },
    });
  });
  it('of a subject link is keyed so that a tombstone erases it', () => {
    const link = subjectLinkCloudEvent(
      { consentId: 'consent-0001', subject: 'somebody' },
      { id: 'e-1', source: 'urn:test' },
    );
    expect(subjectLinkEntry(link)).toMatchObject({
      topic: 'threat.subjects',
      record: { key: Buffer.from('consent-0001') },
    });
  });

  // Whatever a publisher may attach: who it is about, where its schema stands, what a program of
  // its own calls it.
  const attached = {
    subject: 'CANARY-1',
    dataschema: 'urn:CANARY-2',
    time: '2026-01-31T12:00:00.123456789Z',
  };
  const read = (entry: { record: Parameters<typeof decodeKafka>[0] }): CloudEvent =>
    decodeKafka(entry.record);

  it('of a submission keeps what the contract names, whatever its type, and not an attribute more', () => {
    const kept = {
      usercountry: 'CH',
      consentid: 'consent-0001',
      verdict: 'suspicious',
      samplesha256: 'no digest',
      partitionkey: 'p',
      traceparent: 't',
      dataclassification: 'a',
      dataregulation: 'b',
      datacategory: 'c',
    };
    for (const type of [SUBMITTED, 'other.v1']) {
      const entry = submissionEntry(
        event(
          { ...kept, filename: 'CANARY-3', sequence: 'CANARY'.repeat(100) },
          { ...attached, type, datacontenttype: 'text/plain' },
        ),
      );
      expect(read(entry)).toEqual({
        specversion: '1.0',
        id: '1',
        source: 'urn:test',
        type,
        datacontenttype: 'text/plain',
        time: attached.time,
        extensions: kept,
        data: Buffer.from('x'),
      });
      expect(entry.submission).toBe(submissionId({ source: 'urn:test', id: '1' }));
    }
  });
  it('of a submission is judged as the event itself where that has named attributes only', () => {
    const named = fc.constantFrom(
      'usercountry',
      'consentid',
      'verdict',
      'samplesha256',
      'partitionkey',
      'traceparent',
      'dataclassification',
      'dataregulation',
      'datacategory',
    );
    const value = fc.oneof(
      fc.stringMatching(/^[ -~]{0,300}$/),
      fc.constantFrom('CH', 'consent-0001', 'malicious', 'a'.repeat(64)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(named, value)), (pairs) => {
        const sent = event(Object.fromEntries(pairs));
        expect(readSubmission(read(submissionEntry(sent)))).toEqual(readSubmission(sent));
      }),
    );
  });
  it.each<[string, CloudEvent, (e: CloudEvent) => { record: Parameters<typeof decodeKafka>[0] }]>([
    [
      'a grant',
      consentCloudEvent(
        { kind: 'granted', consentId: 'consent-0001', purposes: ['p'], termsVersion: '1' },
        { id: 'e-1', source: 'urn:test' },
      ),
      (event) => consentEntry(event, SALT),
    ],
    [
      'a withdrawal',
      consentCloudEvent(
        { kind: 'withdrawn', consentId: 'consent-0001' },
        { id: 'e-1', source: 'urn:test' },
      ),
      (event) => consentEntry(event, SALT),
    ],
    [
      'a subject link',
      subjectLinkCloudEvent(
        { consentId: 'consent-0001', subject: 'somebody' },
        { id: 'e-1', source: 'urn:test' },
      ),
      subjectLinkEntry,
    ],
  ])('of %s is written anew from what the contract names', (_, plain, entryOf) => {
    const data = Buffer.from(`{ ${plain.data?.subarray(1).toString()}`);
    const sent = {
      ...plain,
      ...attached,
      datacontenttype: 'application/json; x=CANARY',
      extensions: { traceparent: 'CANARY-4', email: 'CANARY-5' },
      data,
    };
    const entry = entryOf(sent);
    const salt = entryOf === subjectLinkEntry ? {} : { salt: SALT };
    expect(read(entry)).toEqual({ ...plain, extensions: salt });
    expect(entry).toEqual(entryOf(plain));
    expect(read(entry).data?.toString()).not.toContain('CANARY');
  });
});

describe('consent events and subject links', () => {
  const consentId = fc.stringMatching(/^[A-Za-z0-9_-]{8,128}$/);
  const words = fc.string({ minLength: 1, maxLength: 128 });
  const consent = fc.oneof(
    fc.record({ kind: fc.constant('withdrawn' as const), consentId }),
    fc.record(
      {
        kind: fc.constant('granted' as const),
        consentId,
        purposes: fc.array(words, { minLength: 1, maxLength: 16 }),
        termsVersion: words,
        termsSha256: fc.stringMatching(/^[0-9a-f]{64}$/),
      },
      { requiredKeys: ['kind', 'consentId', 'purposes', 'termsVersion'] },
    ),
  );
  it('read back as they were written', () => {
    fc.assert(
      fc.property(consent, (c) => {
        expect(readConsentEvent(consentCloudEvent(c, { id: '1', source: 's' }))).toEqual(c);
      }),
    );
    fc.assert(
      fc.property(fc.record({ consentId, subject: words }), (link) => {
        expect(readSubjectLink(subjectLinkCloudEvent(link, { id: '1', source: 's' }))).toEqual(
          link,
        );
      }),
    );
  });
  it.each([
    '{',
    '{}',
    '{"consentId":"short"}',
    '{"consentId":"consent-0001","subject":"CANARY"}',
    '{"consentId":"consent-0001","CANARY":1}',
    '[]',
    'null',
  ])('%s is no withdrawal, and its text is not repeated', (text) => {
    const bad = { ...event(), type: 'consent.withdrawn.v1', data: Buffer.from(text) };
    expect(() => readConsentEvent(bad)).toThrow(
      expect.objectContaining({
        code: 'INVALID_CONSENT_EVENT',
        message: expect.not.stringContaining('CANARY') as string,
      }),
    );
  });
});
