import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKafka, encodeKafkaBinary, encodeKafkaStructured } from '../src/index.ts';
import {
  anyEvent,
  asStrings,
  binary,
  failure,
  REQUIRED,
  structured,
  withMembers,
} from './events.ts';

const codeOf = (content: Parameters<typeof decodeKafka>[0]) =>
  failure(() => decodeKafka(content)).code;

describe('binary mode', () => {
  it('reads the example of the Kafka binding, without copying the data', () => {
    const content = binary(
      {
        ce_type: 'com.example.someevent',
        ce_source: '/mycontext/subcontext',
        ce_id: '1234-1234-1234',
        ce_time: '2018-04-05T03:56:24Z',
        'content-type': 'application/avro',
        other: 'ignored',
      },
      'avro',
    );
    const event = decodeKafka(content);
    expect(event).toEqual({
      specversion: '1.0',
      type: 'com.example.someevent',
      source: '/mycontext/subcontext',
      id: '1234-1234-1234',
      time: '2018-04-05T03:56:24Z',
      datacontenttype: 'application/avro',
      extensions: {},
      data: Buffer.from('avro'),
    });
    expect(event.data).toBe(content.value);
  });

  it('gives every event back as it was, extensions as strings', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decodeKafka(encodeKafkaBinary(event))).toEqual(asStrings(event));
      }),
      { numRuns: 500 },
    );
  });

  it('tells no data from empty data', () => {
    expect('data' in decodeKafka(binary({}, null))).toBe(false);
    expect(decodeKafka(binary({}, '')).data).toEqual(Buffer.alloc(0));
  });

  it.each([
    ['NOT_A_CLOUDEVENT', 'no attribute at all', { headers: [], value: Buffer.from('{}') }],
    [
      'MISSING_ATTRIBUTE',
      'no id',
      { headers: binary({}).headers.filter(([name]) => name !== 'ce_id'), value: null },
    ],
    ['UNSUPPORTED_SPECVERSION', 'version 0.3', binary({ ce_specversion: '0.3' })],
    ['INVALID_ATTRIBUTE_VALUE', 'an empty source', binary({ ce_source: '' })],
    ['INVALID_ATTRIBUTE_VALUE', 'an empty subject', binary({ ce_subject: '' })],
    ['INVALID_ATTRIBUTE_VALUE', 'a time that is none', binary({ ce_time: '2018-13-05T03:56:24Z' })],
    ['INVALID_ATTRIBUTE_VALUE', 'a content type that is none', binary({ 'content-type': 'jpeg' })],
    ['INVALID_ATTRIBUTE_VALUE', 'a control character', binary({ ce_x: 'a\nb' })],
    ['INVALID_ATTRIBUTE_VALUE', 'a noncharacter', binary({ ce_x: '\u{1FFFF}' })],
    [
      'INVALID_ATTRIBUTE_VALUE',
      'a value that is not UTF-8',
      { headers: [...binary({}).headers, ['ce_x', Buffer.from([0xc0, 0xa0])]], value: null },
    ],
    [
      'INVALID_ATTRIBUTE_VALUE',
      'a content type that is not UTF-8',
      { headers: [['content-type', Buffer.from([0xff])]], value: null },
    ],
    ['INVALID_ATTRIBUTE_NAME', 'an upper-case name', binary({ ce_Foo: 'x' })],
    ['INVALID_ATTRIBUTE_NAME', 'an empty name', binary({ ce_: 'x' })],
    [
      'INVALID_ATTRIBUTE_NAME',
      'a name of 65 characters',
      binary({ [`ce_${'a'.repeat(65)}`]: 'x' }),
    ],
    ['INVALID_ATTRIBUTE_NAME', 'the reserved name data', binary({ ce_data: 'x' })],
    ['INVALID_ATTRIBUTE_NAME', 'a prototype', binary({ ce___proto__: 'x' })],
    [
      'INVALID_ATTRIBUTE_NAME',
      'a second place for the content type',
      binary({ ce_datacontenttype: 'text/plain' }),
    ],
    [
      'DUPLICATE_ATTRIBUTE',
      'a header twice',
      { headers: [...binary({}).headers, ['ce_id', Buffer.from('2')]], value: null },
    ],
    [
      'DUPLICATE_ATTRIBUTE',
      'two content types',
      {
        headers: [
          ...binary({ 'content-type': 'a/b' }).headers,
          ['content-type', Buffer.from('a/b')],
        ],
        value: null,
      },
    ],
    [
      'NOT_A_CLOUDEVENT',
      'more attributes than any event has',
      binary(Object.fromEntries(Array.from({ length: 125 }, (_, index) => [`ce_x${index}`, '']))),
    ],
  ] as const)('answers %s to %s', (code, _, content) => {
    expect(codeOf(content)).toBe(code);
  });

  it('does not write what it would not read', () => {
    const event = { ...REQUIRED, extensions: {} };
    expect(failure(() => encodeKafkaBinary({ ...event, id: '' })).code).toBe(
      'INVALID_ATTRIBUTE_VALUE',
    );
    expect(failure(() => encodeKafkaBinary({ ...event, extensions: { id: '2' } })).code).toBe(
      'DUPLICATE_ATTRIBUTE',
    );
    for (const value of [1.5, Number.NaN, -0, 2 ** 31])
      expect(
        failure(() => encodeKafkaStructured({ ...event, extensions: { x: value } })).code,
      ).toBe('INVALID_ATTRIBUTE_VALUE');
  });

  it('leaves data that are CloudEvents themselves to structured mode', () => {
    const event = {
      ...REQUIRED,
      datacontenttype: 'Application/CloudEvents+json',
      extensions: {},
      data: Buffer.from('{}'),
    };
    expect(failure(() => encodeKafkaBinary(event)).code).toBe('UNSUPPORTED_MODE');
    expect(decodeKafka(encodeKafkaStructured(event))).toEqual(event);
  });
});

describe('structured mode', () => {
  it('gives every event back as it was', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decodeKafka(encodeKafkaStructured(event))).toEqual(event);
      }),
      { numRuns: 500 },
    );
  });

  it('is chosen by the beginning of the content type, in any case', () => {
    expect(
      decodeKafka(
        structured(JSON.stringify(REQUIRED), 'Application/CloudEvents+JSON; charset=UTF-8'),
      ).id,
    ).toBe('1');
  });

  it.each([
    'application/cloudevents-batch+json',
    'application/cloudevents+avro',
    'application/cloudevents',
    'application/cloudevents+json; charset=utf-16',
  ])('answers UNSUPPORTED_MODE to %s', (type) => {
    expect(codeOf(structured('[]', type))).toBe('UNSUPPORTED_MODE');
  });

  it('answers NOT_A_CLOUDEVENT to a record without a value', () => {
    expect(codeOf({ ...structured(''), value: null })).toBe('NOT_A_CLOUDEVENT');
  });
});

describe('errors', () => {
  it('repeat neither values nor names the publisher chose, and park the record', () => {
    const canary = 'canary';
    const contents = [
      binary({ ce_canary_: 'x' }),
      binary({ ce_canary: '\n' }),
      binary({ ce_id: 'canary\n' }),
      binary({ ce_specversion: canary }),
      binary({ 'content-type': canary }),
      structured(canary),
      withMembers('"canary":[]'),
      withMembers('"canary":1,"canary":1'),
      withMembers('"data_base64":"canary"'),
      structured('{}', 'application/cloudevents+canary'),
      structured('{"canary', 'application/cloudevents+json'),
    ];
    for (const content of contents) {
      const error = failure(() => decodeKafka(content));
      expect(error.remedy).toBe('park');
      expect(`${error.stack} ${String(error.cause)}`).not.toContain(canary);
    }
  });
});
