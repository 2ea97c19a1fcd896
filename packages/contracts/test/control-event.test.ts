import { encodeKafkaStructured } from '@residency/cloudevents';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EXPORTED, EXPORT_BEGUN, EXPORT_FORMATS, controlEntry, readControlRecord } from '../src/control-event.ts';
import type { ControlEvent } from '../src/control-event.ts';

const instant = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }).map((date) => date.toISOString());
const asked = { export: fc.uuid(), from: instant, to: instant, format: fc.constantFrom(...EXPORT_FORMATS) };
const events: fc.Arbitrary<ControlEvent> = fc.oneof(
  fc.record({ type: fc.constant(EXPORT_BEGUN), data: fc.record(asked) }),
  fc.record({ type: fc.constant(EXPORTED), data: fc.record({ ...asked, events: fc.nat(), digest: fc.stringMatching(/^[0-9a-f]{64}$/), complete: fc.boolean() }) }),
);

it('reads what it writes, under a key of its own', () => {
  fc.assert(fc.property(events, fc.uuid(), (event, id) => {
    const { topic, record } = controlEntry(event, id);
    expect([topic, record.key?.toString(), readControlRecord(record)]).toEqual(['residency.control', id, event]);
  }));
});

it.each([
  ['another type', { type: 'residency.audit.deleted.v1', data: '{}' }],
  ['a member more, which might name a person', { type: EXPORT_BEGUN, data: '{"export":"e","from":"2026-01-01","to":"2026-01-02","format":"csv","by":"somebody"}' }],
  ['a member less', { type: EXPORT_BEGUN, data: '{"export":"e","from":"2026-01-01","format":"csv"}' }],
  ['an instant that is none', { type: EXPORT_BEGUN, data: '{"export":"e","from":"then","to":"2026-01-02","format":"csv"}' }],
  ['no JSON', { type: EXPORTED, data: 'data' }],
])('refuses %s, to be passed over', (_, { type, data }) => {
  const record = encodeKafkaStructured({ specversion: '1.0', id: 'a', source: '/b', type, datacontenttype: 'text/plain', extensions: {}, data: Buffer.from(data) });
  expect(() => readControlRecord(record)).toThrow(expect.objectContaining({ code: 'INVALID_CONTROL_EVENT', remedy: 'park' }));
});
