import { JsonTokens, MAX_JSON_TOKENS } from '../src/json-tokens.ts';
import { describe, expect, it } from 'vitest';
import { decodeKafka } from '../src/index.ts';
import { failure, REQUIRED, structured, withMembers } from './events.ts';

const codeOf = (content: Parameters<typeof decodeKafka>[0]) =>
  failure(() => decodeKafka(content)).code;
const nested = (levels: number) => withMembers(`"data":${'['.repeat(levels)}${']'.repeat(levels)}`);
const event = (members: object) => ({ ...REQUIRED, extensions: {}, ...members });

describe('the examples of the JSON format', () => {
  const common =
    '"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","time":"2018-04-05T17:31:00Z","comexampleextension1":"value","comexampleothervalue":5';
  const expected = {
    specversion: '1.0',
    type: 'com.example.someevent',
    source: '/mycontext',
    time: '2018-04-05T17:31:00Z',
    extensions: { comexampleextension1: 'value', comexampleothervalue: 5 },
  };

  it('A: binary data', () => {
    const decoded = decodeKafka(
      structured(
        `{${common},"id":"A234-1234-1234","datacontenttype":"application/vnd.apache.thrift.binary","data_base64":"AAH/"}`,
      ),
    );
    expect(decoded).toEqual({
      ...expected,
      id: 'A234-1234-1234',
      datacontenttype: 'application/vnd.apache.thrift.binary',
      data: Buffer.from([0, 1, 255]),
    });
  });

  it('B: XML in a string, and an unset extension', () => {
    const decoded = decodeKafka(
      structured(
        `{${common},"id":"B234-1234-1234","unsetextension":null,"datacontenttype":"application/xml","data":"<much wow=\\"xml\\"/>"}`,
      ),
    );
    expect(decoded).toEqual({
      ...expected,
      id: 'B234-1234-1234',
      datacontenttype: 'application/xml',
      data: Buffer.from('<much wow="xml"/>'),
    });
  });

  it('C: a JSON object, an unset subject', () => {
    const data =
      '{\n        "appinfoA" : "abc",\n        "appinfoB" : 123,\n        "appinfoC" : true\n    }';
    const decoded = decodeKafka(
      structured(
        `{ ${common}, "subject" : null, "id" : "C234-1234-1234", "datacontenttype" : "application/json", "data" : ${data}\n}\n`,
      ),
    );
    expect(decoded).toEqual({
      ...expected,
      id: 'C234-1234-1234',
      datacontenttype: 'application/json',
      data: Buffer.from(data),
    });
  });

  it('D: a JSON string without a content type stays quoted, and the implied type is made explicit', () => {
    const decoded = decodeKafka(
      structured(`{${common},"id":"D234-1234-1234","data":"I'm just a string"}`),
    );
    expect(decoded).toEqual({
      ...expected,
      id: 'D234-1234-1234',
      datacontenttype: 'application/json',
      data: Buffer.from('"I\'m just a string"'),
    });
  });
});

describe('data', () => {
  it.each([
    '12345678901234567890',
    '0.1000000000000000055',
    '1e400',
    '-0',
    'null',
    '"\\ud800"',
    '{"a":1,"a":2}',
    '[ 1 , "€" ]',
  ])('keeps the JSON source %s', (source) => {
    expect(
      decodeKafka(withMembers(`"datacontenttype":"a/b+JSON; x=y","data": ${source} `)).data,
    ).toEqual(Buffer.from(source));
  });

  it('is absent without a member, or with data_base64 unset', () => {
    expect(decodeKafka(withMembers('"data_base64":null'))).toEqual(event({}));
    expect(decodeKafka(withMembers('"data_base64":null,"data":1'))).toEqual(
      event({ datacontenttype: 'application/json', data: Buffer.from('1') }),
    );
    expect(decodeKafka(withMembers('"data_base64":""'))).toEqual(event({ data: Buffer.alloc(0) }));
  });

  it('is absent where it is null beside a content type that is not JSON, as SDKs write what is unset', () => {
    expect(decodeKafka(withMembers('"datacontenttype":"a/b","data":null'))).toEqual(
      event({ datacontenttype: 'a/b' }),
    );
    expect(
      decodeKafka(withMembers('"datacontenttype":"a/b","data":null,"data_base64":"AA=="')),
    ).toEqual(event({ datacontenttype: 'a/b', data: Buffer.from([0]) }));
    expect(decodeKafka(withMembers('"data":null'))).toEqual(
      event({ datacontenttype: 'application/json', data: Buffer.from('null') }),
    );
  });

  it('may say US-ASCII, and is held to it', () => {
    expect(
      decodeKafka(withMembers('"datacontenttype":"text/plain; charset=US-ASCII","data":"e"')).data,
    ).toEqual(Buffer.from('e'));
    const structuredAs = (json: string) =>
      structured(json, 'application/cloudevents+json; charset=us-ascii');
    expect(
      decodeKafka(
        structuredAs(JSON.stringify({ ...REQUIRED, subject: 'é' }).replace('é', '\\u00e9')),
      ).subject,
    ).toBe('é');
    expect(codeOf(structuredAs(JSON.stringify({ ...REQUIRED, subject: 'é' })))).toBe(
      'NOT_A_CLOUDEVENT',
    );
  });

  it.each([
    '"data":1,"data_base64":"AA=="',
    '"data_base64":"AA"',
    '"data_base64":"AB=="',
    '"data_base64":"AA== "',
    '"data_base64":"-_8="',
    '"data_base64":5',
    '"datacontenttype":"a/b","data":{}',
    '"data":null,"data_base64":"AA=="',
    '"datacontenttype":"a/json","data":null,"data_base64":"AA=="',
    '"datacontenttype":"text/plain; charset=us-ascii","data":"é"',
    '"datacontenttype":"a/b","data":"\\udc00"',
    '"datacontenttype":"text/plain; charset=ISO-8859-1","data":"x"',
  ])('answers INVALID_DATA to %s', (members) => {
    expect(codeOf(withMembers(members))).toBe('INVALID_DATA');
  });
});

describe('a JSON text of very many values', () => {
  const tokens = (data: string) =>
    structured(
      `{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"a/json","data":${data}}`,
    );
  // One for the event, six colons and five commas of its members, one for the list; then a comma
  // for each element but the last.
  const most = MAX_JSON_TOKENS - 13;

  it.each([
    ['strings', '""'],
    ['numbers', '1'],
    ['strings of commas and brackets', '",:[{\\",[,"'],
  ])('is read up to the limit, and not beyond it: %s', (_, value) => {
    expect(
      decodeKafka(tokens(`[${`${value},`.repeat(most)}${value}]`)).data?.length,
    ).toBeGreaterThan(most);
    expect(codeOf(tokens(`[${`${value},`.repeat(most + 1)}${value}]`))).toBe('TOO_MANY_TOKENS');
  });

  it('is found before anything is made of it, in whatever pieces it arrives', () => {
    const text = Buffer.from(
      `{"a${'\\"'.repeat(700)}":[${'"x,\\\\",'.repeat(900)}"${'y,'.repeat(600)}",{"b":1}]}`,
    );
    const whole = new JsonTokens();
    whole.add(text);
    for (const size of [1, 2, 3, 7, 255, 256, 257, 1_000]) {
      const pieces = new JsonTokens();
      for (let at = 0; at < text.length; at += size) pieces.add(text.subarray(at, at + size));
      expect(pieces.count).toBe(whole.count);
    }
    // The object, its colon and list; a comma after each of 900 and of the last string; the second
    // object and its colon.
    expect(whole.count).toBe(3 + 900 + 1 + 2);
  });
});

describe('attributes', () => {
  it('keeps Integer and Boolean, and reads -0 as 0', () => {
    expect(
      decodeKafka(withMembers('"a":true,"b":false,"c":-2147483648,"d":2147483647,"e":-0'))
        .extensions,
    ).toEqual({ a: true, b: false, c: -2147483648, d: 2147483647, e: 0 });
  });

  it('never reaches a prototype: nothing is inherited by the extensions', () => {
    const { extensions } = decodeKafka(withMembers('"x":"1"'));
    expect(extensions['constructor']).toBeUndefined();
    expect(decodeKafka(withMembers('"constructor":"c"')).extensions['constructor']).toBe('c');
    expect(codeOf(withMembers('"__proto__":{"usercountry":"CH"}'))).toBe('INVALID_ATTRIBUTE_NAME');
    expect(codeOf(withMembers('"__proto__":"x"'))).toBe('INVALID_ATTRIBUTE_NAME');
    expect(codeOf(withMembers('"Unset":null'))).toBe('INVALID_ATTRIBUTE_NAME');
  });

  it.each([
    '"x":1.5',
    '"x":5.0',
    '"x":5e0',
    '"x":2147483648',
    '"x":{}',
    '"x":[]',
    '"subject":5',
    '"time":true',
    '"x":"\\u0000"',
    '"x":"\\ud800"',
    '"x":"\\ufffe"',
  ])('answers INVALID_ATTRIBUTE_VALUE to %s', (members) => {
    expect(codeOf(withMembers(members))).toBe('INVALID_ATTRIBUTE_VALUE');
  });

  it('answers MISSING_ATTRIBUTE to a required attribute that is null', () => {
    expect(codeOf(structured('{"specversion":"1.0","id":null,"source":"/s","type":"t"}'))).toBe(
      'MISSING_ATTRIBUTE',
    );
  });

  it.each(['"id":"2"', '"i\\u0064":"2"', '"x":null,"x":"2"', '"data":1,"data":2'])(
    'answers DUPLICATE_ATTRIBUTE to a second member in %s',
    (members) => {
      expect(codeOf(withMembers(members))).toBe('DUPLICATE_ATTRIBUTE');
    },
  );
});

describe('hostile documents', () => {
  it.each([
    '',
    'null',
    '[]',
    '1',
    '{',
    '{}',
    '{"id":"1"} x',
    '\u{FEFF}{}',
    '{"a":tru}',
    "{'a':1}",
    '{"a":1,}',
    '{"a" 1}',
  ])('answers NOT_A_CLOUDEVENT to %j', (json) => {
    expect(codeOf(structured(json))).toBe('NOT_A_CLOUDEVENT');
  });

  it('answers NOT_A_CLOUDEVENT to bytes that are not UTF-8', () => {
    expect(
      codeOf(
        structured(
          Buffer.concat([Buffer.from('{"specversion":"'), Buffer.from([0xff]), Buffer.from('"}')]),
        ),
      ),
    ).toBe('NOT_A_CLOUDEVENT');
  });

  it('takes nesting of 512 levels and refuses more, however deep', () => {
    expect(decodeKafka(nested(512)).data).toHaveLength(1024);
    expect(codeOf(nested(513))).toBe('NOT_A_CLOUDEVENT');
    expect(codeOf(withMembers(`"x":${'{"a":'.repeat(400_000)}`))).toBe('NOT_A_CLOUDEVENT');
    expect(codeOf(withMembers(`"x":${'{"a":'.repeat(2_000_000)}`))).toBe('TOO_MANY_TOKENS');
  });

  it.each([
    ['digits', `"data":${'1'.repeat(8_000_000)}`],
    ['escapes', `"data":"${'\\n'.repeat(4_000_000)}"`],
    ['backslashes', `"data":"${'\\\\'.repeat(4_000_000)}"`],
    ['arrays', `"data":[${`[],${' '.repeat(17)}`.repeat(400_000)}[]]`],
    ['white space', `${' '.repeat(8_000_000)}"data":1`],
  ])('reads eight megabytes of %s in linear time', (_, members) => {
    // Quadratic time would be hours, which the run's time limit ends.
    expect(decodeKafka(withMembers(members)).id).toBe('1');
  });

  it('ends early at more members than any event has', () => {
    expect(
      codeOf(withMembers(Array.from({ length: 127 }, (_, index) => `"x${index}":null`).join(','))),
    ).toBe('NOT_A_CLOUDEVENT');
  });
});
