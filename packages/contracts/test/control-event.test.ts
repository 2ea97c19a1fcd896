import { encodeKafkaStructured } from '@residency/cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlEntry, readControlRecord } from '../src/control-event.ts';
import type { ControlEvent } from '../src/control-event.ts';
import { evolveControl, followControl, logLevelOf } from '../src/control-state.ts';
import { INITIAL_CONTROL } from '../src/initial-control.ts';
import type { ControlState } from '../src/control-state.ts';
import { SALT, controlEvents } from './arbitraries.ts';
import type { CONTROL_LOG_LEVELS } from '../src/vocabulary.ts';
import {
  CLAIMS_ENDED,
  ERASURE_ORDERED,
  LOSS_ACCEPTED,
  EXPORTED,
  EXPORT_BEGUN,
  HOLD_LIFTED,
  HOLD_PLACED,
  INTAKE_DRAINING,
  LOG_LEVEL_SET,
  NAMED_IN_ORDER,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
} from '../src/vocabulary.ts';

it('reads what it writes, under a key of its own', () => {
  fc.assert(
    fc.property(controlEvents, fc.uuid(), (event, id) => {
      const { topic, record } = controlEntry(event, id, SALT);
      expect([topic, record.key?.toString(), readControlRecord(record)]).toEqual([
        'residency.control',
        id,
        event,
      ]);
    }),
  );
});

it.each([
  ['another type', { type: 'residency.audit.deleted.v1', data: '{}' }],
  [
    'a member more, which might name a person',
    {
      type: EXPORT_BEGUN,
      data: '{"export":"e","from":"2026-01-01","to":"2026-01-02","format":"csv","by":"somebody"}',
    },
  ],
  [
    'a member less',
    { type: EXPORT_BEGUN, data: '{"export":"e","from":"2026-01-01","format":"csv"}' },
  ],
  [
    'an instant that is none',
    { type: EXPORT_BEGUN, data: '{"export":"e","from":"then","to":"2026-01-02","format":"csv"}' },
  ],
  ['no JSON', { type: EXPORTED, data: 'data' }],
])('refuses %s, to be passed over', (_, { type, data }) => {
  const record = encodeKafkaStructured({
    specversion: '1.0',
    id: 'a',
    source: '/b',
    type,
    datacontenttype: 'text/plain',
    extensions: {},
    data: Buffer.from(data),
  });
  expect(() => readControlRecord(record)).toThrow(
    expect.objectContaining({ code: 'INVALID_CONTROL_EVENT', remedy: 'park' }),
  );
});

it.each([undefined, '', 'A5'.repeat(16), 'a5'.repeat(15)])(
  'reads none with the salt %j',
  (salt) => {
    const record = {
      headers: [['content-type', Buffer.from('application/cloudevents+json')] as const],
      value: Buffer.from(
        JSON.stringify({
          specversion: '1.0',
          id: 'a',
          source: '/residency/control',
          type: ROUTING_RESUMED,
          salt,
          datacontenttype: 'application/json',
          data: {},
        }),
      ),
    };
    expect(() => readControlRecord(record)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONTROL_EVENT', remedy: 'park' }),
    );
  },
);

it.each(['', 'two\nlines', '\u001b[2J', 'x'.repeat(201)])(
  'does not write a reason that nobody could read back: %j',
  (reason) => {
    expect(() => controlEntry({ type: ROUTING_PAUSED, data: { reason } }, 'a', SALT)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONTROL_EVENT' }),
    );
  },
);

it.each(['', 'two\nlines', 'x'.repeat(129)])(
  'neither writes nor reads a principal that is no name: %j',
  (by) => {
    expect(() =>
      controlEntry({ type: ROUTING_RESUMED, principal: by, data: {} }, 'a', SALT),
    ).toThrow(expect.objectContaining({ code: 'INVALID_CONTROL_EVENT' }));
    const json = {
      specversion: '1.0',
      id: 'a',
      source: '/residency/control',
      type: ROUTING_RESUMED,
      authtype: 'user',
      salt: SALT,
      authid: by,
      datacontenttype: 'application/json',
      data: {},
    };
    const record = {
      headers: [['content-type', Buffer.from('application/cloudevents+json')] as const],
      value: Buffer.from(JSON.stringify(json)),
    };
    expect(() => readControlRecord(record)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONTROL_EVENT' }),
    );
  },
);

const ACT = '3f9d2c1a-6b7e-4d58-9a0c-1e2f3a4b5c6d';
const REASON = 'asked by the person';
const many = <T>(one: T, count: number): T[] => Array.from({ length: count }, () => one);
const SUBMISSION = 'a'.repeat(64);
const given = { consentId: 'consent-0001', before: '2026-11-02' };

/** The event as somebody else's program would write it to the topic. */
function byAnother(type: string, data: unknown): Parameters<typeof readControlRecord>[0] {
  return encodeKafkaStructured({
    specversion: '1.0',
    id: 'a',
    source: '/residency/control',
    type,
    datacontenttype: 'application/json',
    extensions: { salt: SALT },
    data: Buffer.from(JSON.stringify(data)),
  });
}

describe('an order to give samples up, and the end of claims', () => {
  const order = { act: ACT, reason: REASON, region: 'zurich', submissions: [SUBMISSION] };
  const ended = { act: ACT, region: 'zurich', owners: ['log-1/threat.samples/0/1'] };

  it('name up to 1000', () => {
    for (const [type, data] of [
      [LOSS_ACCEPTED, { ...order, submissions: many(SUBMISSION, NAMED_IN_ORDER) }],
      [CLAIMS_ENDED, { ...ended, owners: many('log-1/threat.samples/0/1', 1_000) }],
    ] as const)
      expect(readControlRecord(byAnother(type, data))).toEqual({ type, data });
  });

  it.each<[string, string, object]>([
    ['no submission', LOSS_ACCEPTED, { ...order, submissions: [] }],
    ['1001 submissions', LOSS_ACCEPTED, { ...order, submissions: many(SUBMISSION, 1_001) }],
    ['no region', LOSS_ACCEPTED, { ...order, region: undefined }],
    ['a reason of two lines', LOSS_ACCEPTED, { ...order, reason: 'a\nb' }],
    ['an act that is no UUID', LOSS_ACCEPTED, { ...order, act: 'x' }],
    ['a member more', LOSS_ACCEPTED, { ...order, consents: [given] }],
    ['no owner', CLAIMS_ENDED, { ...ended, owners: [] }],
    ['an owner of another log', CLAIMS_ENDED, { ...ended, owners: ['log-1/threat.consents/0/1'] }],
  ])('with %s are refused', (_, type, data) => {
    expect(() => readControlRecord(byAnother(type, data))).toThrow(
      expect.objectContaining({ code: 'INVALID_CONTROL_EVENT' }),
    );
  });

  it('is kept by its first event', () => {
    const event = (reason: string): ControlEvent => ({
      type: LOSS_ACCEPTED,
      data: { ...order, reason },
    });
    const first = evolveControl(INITIAL_CONTROL, event('first'), 7);
    expect(first.losses).toEqual([{ ...order, reason: 'first', at: 7 }]);
    expect(evolveControl(first, event('second'), 8)).toBe(first);
    const paused: ControlEvent = { type: ROUTING_PAUSED, data: { reason: 'x' } };
    expect(evolveControl(first, paused, 9).losses).toEqual(first.losses);
  });
});

describe('an order to erase, or a hold', () => {
  it.each([
    [ERASURE_ORDERED, { submissions: many(SUBMISSION, NAMED_IN_ORDER) }],
    [ERASURE_ORDERED, { consents: many(given, NAMED_IN_ORDER) }],
    [HOLD_PLACED, { submissions: many(SUBMISSION, NAMED_IN_ORDER) }],
    [HOLD_PLACED, { consents: many(given.consentId, NAMED_IN_ORDER) }],
    [HOLD_LIFTED, { hold: ACT }],
  ])('%s names up to 1000', (type, named) => {
    expect(NAMED_IN_ORDER).toBe(1_000);
    const data = { act: ACT, reason: REASON, ...named };
    expect(readControlRecord(byAnother(type, data))).toEqual({ type, data });
  });

  it.each<[string, string, object]>([
    ['neither submissions nor consents', ERASURE_ORDERED, {}],
    ['neither submissions nor consents', HOLD_PLACED, {}],
    [
      'both submissions and consents',
      ERASURE_ORDERED,
      { submissions: [SUBMISSION], consents: [given] },
    ],
    [
      'both submissions and consents',
      HOLD_PLACED,
      { submissions: [SUBMISSION], consents: [given.consentId] },
    ],
    ['no submission', ERASURE_ORDERED, { submissions: [] }],
    ['no consent', ERASURE_ORDERED, { consents: [] }],
    ['no submission', HOLD_PLACED, { submissions: [] }],
    ['no consent', HOLD_PLACED, { consents: [] }],
    ['1001 submissions', ERASURE_ORDERED, { submissions: many(SUBMISSION, NAMED_IN_ORDER + 1) }],
    ['1001 consents', ERASURE_ORDERED, { consents: many(given, NAMED_IN_ORDER + 1) }],
    ['1001 submissions', HOLD_PLACED, { submissions: many(SUBMISSION, NAMED_IN_ORDER + 1) }],
    ['1001 consents', HOLD_PLACED, { consents: many(given.consentId, NAMED_IN_ORDER + 1) }],
    [
      'a consent without an instant',
      ERASURE_ORDERED,
      { consents: [{ consentId: 'consent-0001' }] },
    ],
    [
      'an instant that is none',
      ERASURE_ORDERED,
      { consents: [{ ...given, before: '2026-02-29' }] },
    ],
    ['a member of a consent more', ERASURE_ORDERED, { consents: [{ ...given, subject: 'x' }] }],
    ['an instant in a hold', HOLD_PLACED, { consents: [given] }],
    ['a submission in upper case', HOLD_PLACED, { submissions: [SUBMISSION.toUpperCase()] }],
    ['a consent that is none', HOLD_PLACED, { consents: ['consent 0001'] }],
    [
      'an act in upper case',
      ERASURE_ORDERED,
      { submissions: [SUBMISSION], act: ACT.toUpperCase() },
    ],
    ['an act that is no UUID', HOLD_PLACED, { submissions: [SUBMISSION], act: 'act-1' }],
    ['an act with a line more', ERASURE_ORDERED, { submissions: [SUBMISSION], act: `${ACT}\n` }],
    ['a reason of two lines', ERASURE_ORDERED, { submissions: [SUBMISSION], reason: 'a\nb' }],
    ['a reason that turns text', HOLD_PLACED, { submissions: [SUBMISSION], reason: '\u202Ex' }],
    ['no reason', ERASURE_ORDERED, { submissions: [SUBMISSION], reason: '' }],
    ['a member more', HOLD_PLACED, { submissions: [SUBMISSION], subject: 'somebody' }],
    ['no hold', HOLD_LIFTED, {}],
    ['a hold that is no UUID', HOLD_LIFTED, { hold: 'all' }],
    ['a reason of two lines', HOLD_LIFTED, { hold: ACT, reason: 'a\nb' }],
    ['an act that is no UUID', HOLD_LIFTED, { hold: ACT, act: 'x' }],
  ])('with %s is none (%s)', (_, type, change) => {
    const data = { act: ACT, reason: REASON, ...change };
    expect(() => readControlRecord(byAnother(type, data))).toThrow(
      expect.objectContaining({ code: 'INVALID_CONTROL_EVENT', remedy: 'park' }),
    );
  });
});

const after = (...all: readonly ControlEvent[]): ControlState =>
  all.reduce<ControlState>((state, event, index) => {
    const { record } = controlEntry(event, String(index), SALT);
    return followControl(state, {
      topic: 'residency.control',
      partition: 0,
      offset: BigInt(index),
      at: index,
      ...record,
    });
  }, INITIAL_CONTROL);
const level = (service: string, name: (typeof CONTROL_LOG_LEVELS)[number]): ControlEvent => ({
  type: LOG_LEVEL_SET,
  data: { service, level: name },
});

it('the last word about routing holds, whatever else was said', () => {
  const paused: ControlEvent = { type: ROUTING_PAUSED, data: { reason: 'disks' } };
  const draining: ControlEvent = { type: INTAKE_DRAINING, data: { reason: 'update' } };
  expect(after(paused)).toEqual({ mode: 'paused', reason: 'disks', since: 0, logLevels: {} });
  expect(after(paused, level('router', 'debug'))).toMatchObject({
    mode: 'paused',
    reason: 'disks',
    since: 0,
  });
  expect(after(paused, draining)).toMatchObject({ mode: 'draining', reason: 'update', since: 1 });
  expect(after(draining, paused, { type: ROUTING_RESUMED, data: {} })).toEqual({
    mode: 'running',
    since: 2,
    logLevels: {},
  });
});

it('a service logs at the level that was set for it, or for all', () => {
  expect(logLevelOf(after(level('router', 'debug')), 'router')).toBe('debug');
  expect(logLevelOf(after(level('router', 'debug')), 'intake')).toBeUndefined();
  expect(logLevelOf(after(level('all', 'warn'), level('router', 'debug')), 'router')).toBe('debug');
  expect(logLevelOf(after(level('router', 'debug'), level('all', 'warn')), 'router')).toBe('warn');
  expect(
    logLevelOf(after(level('router', 'debug'), level('router', 'default')), 'router'),
  ).toBeUndefined();
});

it('what is no control event is counted, also past later events, and changes nothing else', () => {
  const paused = after({ type: ROUTING_PAUSED, data: { reason: 'disks' } });
  const noise = {
    topic: 'residency.control',
    partition: 0,
    offset: 9n,
    at: 9,
    key: null,
    headers: [],
    value: Buffer.from('{}'),
  };
  const passed = followControl(followControl(paused, noise), noise);
  expect(passed).toEqual({ ...paused, passedOver: 2 });
  expect(evolveControl(passed, { type: ROUTING_RESUMED, data: {} }, 10)).toEqual({
    mode: 'running',
    since: 10,
    logLevels: {},
    passedOver: 2,
  });
});
