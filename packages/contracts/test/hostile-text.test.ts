import { readFileSync } from 'node:fs';
import { encodeKafkaBinary } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import { describe, expect, it, test } from 'vitest';
import { decodeAuditEvent } from '../src/audit-event.ts';
import { readConsentEvent, readSubjectLink } from '../src/consent-event.ts';
import { readConsentRecord } from '../src/consent-record.ts';
import { followControl } from '../src/control-state.ts';
import { INITIAL_CONTROL } from '../src/initial-control.ts';
import { readPolicy, readPolicyRecord } from '../src/policy-event.ts';
import { decodeQuarantinePointer } from '../src/quarantine-pointer.ts';
import { decodeSiteMarker } from '../src/site-marker.ts';
import { SALT } from './arbitraries.ts';

const POLICY = readFileSync(new URL('../../../policy/residency-1.json', import.meta.url), 'utf8');
const CONSENT =
  '{"consentId":"consent-0001","purposes":["threat-sample-sharing"],"termsVersion":"1"}';
const PAUSE = '{"reason":"disks"}';
const ORDER = `{"act":"3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d","reason":"asked","submissions":["${'a'.repeat(64)}"]}`;
const HOLD =
  '{"act":"3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d","reason":"a court","consents":["consent-0001"]}';
const POINTER = `{"position":"l/threat.samples/0/1","reason":"TOO_LARGE","detail":"d","valueSha256":"${'0'.repeat(64)}","valueBytes":3}`;
const MARKER = '{"region":"zurich","site":"zrh-1"}';
const LINK = '{"consentId":"consent-0001","subject":"somebody"}';

const event = (type: string, data: Buffer): CloudEvent => ({
  specversion: '1.0',
  id: 'e',
  source: 'urn:test',
  type,
  datacontenttype: 'application/json',
  extensions: { salt: SALT },
  data,
});
const record = (type: string, data: Buffer) => ({
  topic: 't',
  partition: 0,
  offset: 0n,
  at: 7,
  key: null,
  ...encodeKafkaBinary(event(type, data)),
});

/**
 * Each reader of a text that somebody else wrote: a good text, a string in it to spoil, and whether
 * it takes bytes.
 */
const READERS: readonly (readonly [
  name: string,
  good: string,
  string: string,
  takes: (bytes: Buffer) => boolean,
])[] = [
  [
    'a consent at the intake',
    CONSENT,
    '"1"',
    (bytes) =>
      passes(() => readConsentEvent(event('consent.granted.v1', bytes)), 'INVALID_CONSENT_EVENT'),
  ],
  [
    'a consent on the log',
    CONSENT,
    '"1"',
    (bytes) =>
      passes(() => readConsentRecord(record('consent.granted.v1', bytes)), 'INVALID_CONSENT_EVENT'),
  ],
  [
    'a subject link',
    LINK,
    '"somebody"',
    (bytes) =>
      passes(() => readSubjectLink(event('subject.linked.v1', bytes)), 'INVALID_CONSENT_EVENT'),
  ],
  [
    'a policy document',
    POLICY,
    '"GTI §2"',
    (bytes) => passes(() => readPolicy(bytes), 'INVALID_POLICY'),
  ],
  [
    'a policy on the log',
    POLICY,
    '"GTI §2"',
    (bytes) => readPolicyRecord(record('policy.published.v1', bytes)) !== undefined,
  ],
  [
    'a control event',
    PAUSE,
    '"disks"',
    (bytes) =>
      followControl(INITIAL_CONTROL, record('residency.routing.paused.v1', bytes)).mode ===
      'paused',
  ],
  [
    'an order to erase',
    ORDER,
    '"asked"',
    (bytes) =>
      followControl(INITIAL_CONTROL, record('residency.erasure.ordered.v1', bytes)).erasures?.orders
        .length === 1,
  ],
  [
    'a hold',
    HOLD,
    '"a court"',
    (bytes) =>
      followControl(INITIAL_CONTROL, record('residency.hold.placed.v1', bytes)).erasures?.holds
        .length === 1,
  ],
  [
    'a quarantine pointer',
    POINTER,
    '"d"',
    (bytes) => passes(() => decodeQuarantinePointer(bytes), 'INVALID_POINTER'),
  ],
  ['a site marker', MARKER, '"zrh-1"', (bytes) => decodeSiteMarker(bytes).region === 'zurich'],
];

function passes(read: () => unknown, code: string): boolean {
  try {
    read();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code });
    return false;
  }
}

describe.each(READERS)('%s', (_, good, string, takes) => {
  const spoil = (by: string): string => good.replace(string, by);
  const firstMember = /"(\w+)":\s*("(?:[^"\\]|\\.)*"|\d+|\{|\[)/.exec(good)?.[0] ?? '';

  it('is read', () => {
    expect(good).toContain(string);
    expect(takes(Buffer.from(good))).toBe(true);
  });

  it.each([
    ['an unpaired surrogate', spoil(String.raw`"\ud800"`)],
    ['a member name with one', good.replace('{', String.raw`{"\udfff":1,`)],
    [
      'a member that occurs twice, the first of them another',
      good
        .replace('{', `{${firstMember.replace(/[{[]$/, 'null')},`)
        .replace(/:null,/, ':"moscow",'),
    ],
    ['a member __proto__', good.replace('{', '{"__proto__":{"region":"moscow"},')],
    ['a number beyond all doubles', spoil('1e999')],
    ['a byte order mark', `\ufeff${good}`],
    ['a hundred thousand levels', spoil(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
    ['a hundred thousand levels without an end', spoil('['.repeat(100_000))],
  ])('is not read with %s', (__, text) => {
    expect(text).not.toBe(good);
    expect(takes(Buffer.from(text))).toBe(false);
  });

  it.each([[0xff], [0xed, 0xa0, 0x80], [0xc0, 0x80]])(
    'is not read with bytes that are not UTF-8 (%i …)',
    (...bytes) => {
      const [before = '', after = ''] = good.split(string);
      expect(
        takes(
          Buffer.concat([Buffer.from(`${before}"`), Buffer.from(bytes), Buffer.from(`"${after}`)]),
        ),
      ).toBe(false);
    },
  );
});

test('a rule with two regions is no policy', () => {
  const text = POLICY.replace('"region": "zurich"', '"region": "zurich", "region": "moscow"');
  expect(text).not.toBe(POLICY);
  expect(() => readPolicy(Buffer.from(text))).toThrow(
    expect.objectContaining({
      code: 'INVALID_POLICY',
      message: expect.stringMatching(/occurs twice.*line \d+/),
    }),
  );
});

test('an audit event with a member twice is none', () => {
  expect(() => decodeAuditEvent(Buffer.from('{"specversion":"1.0","specversion":"1.0"}'))).toThrow(
    expect.objectContaining({
      code: 'INVALID_AUDIT_EVENT',
      message: expect.stringContaining('occurs twice'),
    }),
  );
});
