import { encodeKafkaStructured } from '@residency/cloudevents';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { controlEntry, readControlRecord } from '../src/control-event.ts';
import type { ControlEvent } from '../src/control-event.ts';
import { evolveControl, followControl, logLevelOf } from '../src/control-state.ts';
import { INITIAL_CONTROL } from '../src/initial-control.ts';
import type { ControlState } from '../src/control-state.ts';
import { SALT, controlEvents } from './arbitraries.ts';
import type { CONTROL_LOG_LEVELS } from '../src/vocabulary.ts';
import {
  EXPORTED,
  EXPORT_BEGUN,
  INTAKE_DRAINING,
  LOG_LEVEL_SET,
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
