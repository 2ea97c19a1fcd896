import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeHttp,
  encodeHttpBatch,
  encodeHttpBinary,
  encodeHttpStructured,
} from '../src/index.ts';
import type { HttpContent } from '../src/index.ts';
import { anyEvent, asStrings, failure, REQUIRED } from './events.ts';

const base = [
  ['ce-specversion', '1.0'],
  ['ce-id', '1'],
  ['ce-source', '/s'],
  ['ce-type', 't'],
] as const;
const message = (headers: HttpContent['headers'], body = ''): HttpContent => ({
  headers: [...base, ...headers],
  body: Buffer.from(body),
});
const batch = (json: string): HttpContent => ({
  headers: [['Content-Type', 'application/cloudevents-batch+json']],
  body: Buffer.from(json),
});
const subjectOf = (value: string) =>
  decodeHttp(message([['ce-subject', value]])).events[0]?.subject;

describe('binary mode', () => {
  it('reads the example of the HTTP binding, header names in any case, without copying the body', () => {
    const content = message(
      [
        ['CE-Time', '2018-04-05T03:56:24Z'],
        ['Content-Type', 'application/json; charset=utf-8'],
        ['Host', 'webhook.example.com'],
      ],
      '{}',
    );
    const { mode, events } = decodeHttp(content);
    expect(mode).toBe('binary');
    expect(events).toEqual([
      {
        ...REQUIRED,
        time: '2018-04-05T03:56:24Z',
        datacontenttype: 'application/json; charset=utf-8',
        extensions: {},
        data: Buffer.from('{}'),
      },
    ]);
    expect(events[0]?.data).toBe(content.body);
  });

  it.each([
    ['text/plain;\tcharset=utf-8', 'text/plain; charset=utf-8'],
    ['text/plain\t; \ta=b', 'text/plain ;  a=b'],
    ['text/plain; a="b\\"c";\td=e', 'text/plain; a="b\\"c"; d=e'],
  ])('reads HTAB in %j as the whitespace it is', (contentType, datacontenttype) => {
    expect(
      decodeHttp(message([['content-type', contentType]], 'x')).events[0]?.datacontenttype,
    ).toBe(datacontenttype);
    expect(
      decodeHttp({
        headers: [['content-type', 'application/cloudevents+json\t;\tcharset=utf-8']],
        body: Buffer.from(JSON.stringify(REQUIRED)),
      }).mode,
    ).toBe('structured');
  });

  it('refuses HTAB in a quoted string, where it is content that no attribute may have', () => {
    expect(
      failure(() => decodeHttp(message([['content-type', 'text/plain; a="b\tc"']], 'x'))).code,
    ).toBe('INVALID_ATTRIBUTE_VALUE');
  });

  it('percent-encodes as the binding shows, and reads it back', () => {
    const { headers } = encodeHttpBinary({ ...REQUIRED, subject: 'Euro € 😀', extensions: {} });
    expect(headers).toContainEqual(['ce-subject', 'Euro%20%E2%82%AC%20%F0%9F%98%80']);
    expect(subjectOf('Euro%20%E2%82%AC%20%F0%9F%98%80')).toBe('Euro € 😀');
  });

  it.each([
    ['%e2%82%ac', '€'],
    ['%41', 'A'],
    ['%2525', '%25'],
    ['a b', 'a b'],
    ['"a \\"b\\\\ "c', 'a "b\\ c'],
    ['"%20"', ' '],
  ])('reads %s, as other senders write it', (value, text) => {
    expect(subjectOf(value)).toBe(text);
  });

  it.each([
    '%C0%A0',
    '%ED%A0%80',
    '%',
    '%zz',
    '100%',
    'â\u0082¬',
    '"open',
    '"open\\',
    '%00',
    '%0A',
  ])('answers INVALID_ATTRIBUTE_VALUE to %j', (value) => {
    expect(failure(() => subjectOf(value)).code).toBe('INVALID_ATTRIBUTE_VALUE');
  });

  it.each([
    [
      'NOT_A_CLOUDEVENT',
      { headers: [['content-type', 'application/json']], body: Buffer.from('{}') },
    ],
    ['DUPLICATE_ATTRIBUTE', message([['CE-ID', '2']])],
    [
      'DUPLICATE_ATTRIBUTE',
      message([
        ['content-type', 'a/b'],
        ['Content-Type', 'application/cloudevents+json'],
      ]),
    ],
    ['INVALID_ATTRIBUTE_NAME', message([['ce-datacontenttype', 'a/b']])],
    ['INVALID_ATTRIBUTE_NAME', message([['ce-a-b', 'x']])],
  ] as const)('answers %s to %j', (code, content) => {
    expect(failure(() => decodeHttp(content)).code).toBe(code);
  });

  it('gives every event back as it was: extensions as strings, empty data as none', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const { data, ...rest } = asStrings(event);
        expect(decodeHttp(encodeHttpBinary(event))).toEqual({
          mode: 'binary',
          events: [data === undefined || data.length === 0 ? rest : { ...rest, data }],
        });
      }),
      { numRuns: 500 },
    );
  });

  it('writes header values of printable ASCII only', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        for (const [, value] of encodeHttpBinary(event).headers) expect(value).toMatch(/^[ -~]*$/);
      }),
    );
  });
});

describe('structured and batched mode', () => {
  it('give every event back as it was', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(decodeHttp(encodeHttpStructured(event))).toEqual({
          mode: 'structured',
          events: [event],
        });
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 4 }), (events) => {
        expect(decodeHttp(encodeHttpBatch(events))).toEqual({ mode: 'batch', events });
      }),
      { numRuns: 500 },
    );
  });

  it('name the index of the first bad event of a batch, reading and writing', () => {
    const good = JSON.stringify(REQUIRED);
    const error = failure(() => decodeHttp(batch(`[${good}, ${good}, {"specversion":"1.0"}, 5]`)));
    expect(error).toMatchObject({
      code: 'MISSING_ATTRIBUTE',
      index: 2,
      remedy: 'park',
      message:
        'Event 2 of the batch: Expected the required attribute id; found none. Correct the event at its publisher and send it again.',
    });
    const event = { ...REQUIRED, extensions: {} };
    expect(failure(() => encodeHttpBatch([event, { ...event, type: '' }]))).toMatchObject({
      code: 'INVALID_ATTRIBUTE_VALUE',
      index: 1,
    });
  });

  it('read a batch up to the limit and not one event beyond', () => {
    const good = JSON.stringify(REQUIRED);
    expect(decodeHttp(batch(`[${good},${good}]`), { batchEvents: 2 }).events).toHaveLength(2);
    expect(decodeHttp(batch('[]'), { batchEvents: 0 }).events).toEqual([]);
    // Neither the third, which is no event, nor what follows, which is no JSON, is looked at.
    const error = failure(() =>
      decodeHttp(batch(`[${good},${good},5,nonsense`), { batchEvents: 2 }),
    );
    expect([error.code, 'index' in error]).toEqual(['BATCH_TOO_LONG', false]);
    expect(
      failure(() => decodeHttp(batch(`[${good},5,${good}]`), { batchEvents: 2 })),
    ).toMatchObject({ code: 'NOT_A_CLOUDEVENT', index: 1 });
  });

  it('name no index where there is no event to blame', () => {
    const error = failure(() => decodeHttp(batch('{}')));
    expect(error.code).toBe('NOT_A_CLOUDEVENT');
    expect('index' in error).toBe(false);
  });

  it.each(['application/cloudevents+xml', 'application/cloudevents-batch+avro'])(
    'answer UNSUPPORTED_MODE to %s',
    (type) => {
      expect(
        failure(() => decodeHttp({ headers: [['content-type', type]], body: Buffer.from('[]') }))
          .code,
      ).toBe('UNSUPPORTED_MODE');
    },
  );
});
