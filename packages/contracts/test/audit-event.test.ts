import { describe, expect, it } from 'vitest';
import { OUTCOMES, auditEventIn, decodeAuditEvent, encodeAuditEvent } from '../src/index.ts';
import { auditEvents } from './arbitraries.ts';
import { testEventCodec } from './event-codec-suite.ts';

describe('an audit event', () => {
  testEventCodec({
    events: auditEvents,
    encode: encodeAuditEvent,
    decode: decodeAuditEvent,
    eventIn: auditEventIn,
    invalid: 'INVALID_AUDIT_EVENT',
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

  const REFUSED = {
    previous: '6',
    submission: 'a'.repeat(64),
    sampleBytes: 1,
    verdict: 'malicious',
    consentId: 'consent-0001',
  } as const;
  const erasure = { order: '3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d', region: 'zurich' };

  it('names the order by which its identity was erased', () => {
    const event = {
      position: { log: 'log-1', topic: 'threat.samples', partition: 0, offset: 7n },
      at: 1_700_000_000_000,
      outcome: 'refused' as const,
      data: { ...REFUSED, reason: 'ERASED' as const, erasure },
    };
    const bytes = encodeAuditEvent(event);
    expect(bytes.toString()).toContain(
      `"erasure":{"order":"${erasure.order}","region":"zurich"},"previous"`,
    );
    expect(decodeAuditEvent(bytes)).toEqual(event);
  });

  it.each([
    ['ERASED without an order', { reason: 'ERASED' as const }],
    ['another reason with an order', { reason: 'CONSENT_UNKNOWN' as const, erasure }],
    [
      'an order that is no UUID in lower case',
      { reason: 'ERASED' as const, erasure: { ...erasure, order: erasure.order.toUpperCase() } },
    ],
    [
      'no region',
      { reason: 'ERASED' as const, erasure: { order: erasure.order, region: undefined } },
    ],
    ['a member of the erasure more', { reason: 'ERASED' as const, erasure: { ...erasure, at: 1 } }],
  ])('refused with %s is none', (_, said) => {
    const bytes = encodeAuditEvent({
      position: { log: 'log-1', topic: 'threat.samples', partition: 0, offset: 7n },
      at: 1_700_000_000_000,
      outcome: 'refused',
      data: { ...REFUSED, reason: 'CONSENT_UNKNOWN' },
    });
    const json = JSON.parse(bytes.toString()) as { data: object };
    const changed = { ...json, data: { ...REFUSED, ...said } };
    expect(auditEventIn(bytes)).toBeDefined();
    expect(() => decodeAuditEvent(Buffer.from(JSON.stringify(changed)))).toThrow(
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
