import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  OUTCOMES,
  QUARANTINE_REASONS,
  REFUSAL_REASONS,
  VERDICTS,
  decodeAuditEvent,
  encodeAuditEvent,
} from '../src/index.ts';
import type { AuditEvent } from '../src/index.ts';

const hex64 = fc.stringMatching(/^[0-9a-f]{64}$/);
const offset = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const position = fc.record({
  log: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
  topic: fc.constant('threat.samples'),
  partition: fc.nat(2 ** 31 - 1),
  offset,
});
const positionText = position.map((p) => `${p.log}/${p.topic}/${p.partition}/${p.offset}`);
const word = fc.string({ minLength: 1, maxLength: 30, unit: 'binary' });
const decision = fc.record({
  region: word,
  rule: word,
  policy: fc.record({ id: word, version: fc.nat(), digest: hex64 }),
});
const placement = fc.record(
  {
    site: word,
    key: word,
    sealedSha256: hex64,
    sealedBytes: fc.integer({ min: 1 }),
    wrappingKey: word,
    versionId: word,
  },
  { requiredKeys: ['site', 'key', 'sealedSha256', 'sealedBytes', 'wrappingKey'] },
);
const common = { previous: fc.option(offset.map(String)) };
const judged = {
  ...common,
  submission: hex64,
  sampleSha256: hex64,
  sampleBytes: fc.integer({ min: 1 }),
  verdict: fc.constantFrom(...VERDICTS),
  country: fc.constant('CH'),
  consentId: fc.constant('consent-0001'),
  termsVersion: word,
  decision,
};
const traced = fc.record(
  {
    position,
    at: fc.integer({ min: 0, max: 4e12 }),
    traceparent: fc.string({ minLength: 55, maxLength: 55, unit: 'grapheme-ascii' }),
  },
  { requiredKeys: ['position', 'at'] },
);

const event: fc.Arbitrary<AuditEvent> = fc.oneof(
  fc
    .tuple(
      traced,
      fc.record({ ...judged, placements: fc.array(placement, { minLength: 1, maxLength: 3 }) }),
    )
    .map(([e, data]): AuditEvent => ({ ...e, outcome: 'stored', data })),
  fc
    .tuple(
      traced,
      fc.record(
        { ...judged, of: positionText, redriveOf: positionText },
        { requiredKeys: [...(Object.keys(judged) as (keyof typeof judged)[]), 'of'] },
      ),
    )
    .map(([e, data]): AuditEvent => ({ ...e, outcome: 'duplicate', data })),
  fc
    .tuple(
      traced,
      fc.record({
        ...common,
        submission: hex64,
        sampleBytes: fc.integer({ min: 1 }),
        verdict: fc.constantFrom(...VERDICTS),
        consentId: fc.constant('consent-0001'),
        reason: fc.constantFrom(...REFUSAL_REASONS),
      }),
    )
    .map(([e, data]): AuditEvent => ({ ...e, outcome: 'refused', data })),
  fc
    .tuple(
      traced,
      fc.record(
        { ...common, reason: fc.constantFrom(...QUARANTINE_REASONS), submission: hex64, decision },
        { requiredKeys: ['previous', 'reason'] },
      ),
    )
    .map(([e, data]): AuditEvent => ({ ...e, outcome: 'quarantined', data })),
);

describe('an audit event', () => {
  it('decodes to what was encoded, and encodes to the same bytes again', () => {
    fc.assert(
      fc.property(event, (original) => {
        const bytes = encodeAuditEvent(original);
        const decoded = decodeAuditEvent(bytes);
        expect(decoded).toEqual(original);
        expect(encodeAuditEvent(decoded).equals(bytes)).toBe(true);
      }),
    );
  });

  it('never decodes silently with a byte missing', () => {
    fc.assert(
      fc.property(event, fc.nat(), (original, at) => {
        const bytes = encodeAuditEvent(original);
        expect(() => decodeAuditEvent(bytes.subarray(0, at % bytes.length))).toThrow(
          expect.objectContaining({ code: 'INVALID_AUDIT_EVENT' }),
        );
      }),
    );
  });

  it.each<[string, (json: Record<string, unknown>) => void]>([
    [
      'a sequence that is not its offset',
      (json) => {
        json['sequence'] = '1'.padStart(20, '0');
      },
    ],
    [
      'a source that is not its partition',
      (json) => {
        json['source'] = '/residency/log-1/threat.samples/9';
      },
    ],
    [
      'a cause that is not its submission',
      (json) => {
        json['causationid'] = 'f'.repeat(64);
      },
    ],
    [
      'a member nobody knows',
      (json) => {
        json['filename'] = 'x';
      },
    ],
    [
      'a type nobody knows',
      (json) => {
        json['type'] = 'residency.sample.lost.v1';
      },
    ],
    [
      "another outcome's data",
      (json) => {
        json['type'] = 'residency.sample.stored.v1';
      },
    ],
  ])('with %s is refused', (_, change) => {
    const json = JSON.parse(
      encodeAuditEvent({
        position: { log: 'log-1', topic: 'threat.samples', partition: 0, offset: 7n },
        at: 1_700_000_000_000,
        outcome: 'refused',
        data: {
          previous: '6',
          submission: 'a'.repeat(64),
          sampleBytes: 1,
          verdict: 'malicious',
          consentId: 'consent-0001',
          reason: 'CONSENT_UNKNOWN',
        },
      }).toString(),
    ) as Record<string, unknown>;
    expect(decodeAuditEvent(Buffer.from(JSON.stringify(json))).outcome).toBe('refused');
    change(json);
    expect(() => decodeAuditEvent(Buffer.from(JSON.stringify(json)))).toThrow(
      expect.objectContaining({ code: 'INVALID_AUDIT_EVENT' }),
    );
  });

  it('has the documented bytes', () => {
    expect(
      encodeAuditEvent({
        position: { log: 'log-1', topic: 'threat.samples', partition: 0, offset: 7n },
        at: 1_700_000_000_000,
        outcome: 'quarantined',
        data: { previous: null, reason: 'UNDECODABLE' },
      }).toString(),
    ).toBe(
      '{"data":{"previous":null,"reason":"UNDECODABLE"},"datacontenttype":"application/json","id":"log-1/threat.samples/0/7","sequence":"00000000000000000007","source":"/residency/log-1/threat.samples/0","specversion":"1.0","time":"2023-11-14T22:13:20.000Z","type":"residency.sample.quarantined.v1"}',
    );
  });

  it('beyond 16 KiB is refused before any transaction begins', () => {
    const data = {
      previous: null,
      reason: 'IDENTITY_CONFLICT' as const,
      consentId: 'x'.repeat(17_000),
    };
    expect(() =>
      encodeAuditEvent({
        position: { log: 'l', topic: 't', partition: 0, offset: 0n },
        at: 0,
        outcome: 'quarantined',
        data,
      }),
    ).toThrow(expect.objectContaining({ code: 'AUDIT_EVENT_TOO_LARGE' }));
  });

  it('knows all four outcomes', () => {
    expect([...OUTCOMES]).toEqual(['stored', 'duplicate', 'refused', 'quarantined']);
  });
});
