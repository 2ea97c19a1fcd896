import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../src/canonical-json.ts';
import { JSON_DEPTH, readJson, tryReadJson } from '../src/read-json.ts';

const INVALID = expect.objectContaining({ code: 'INVALID_JSON', remedy: 'park' });

test('reads what JSON.stringify and canonicalJson write, to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!text.includes('"__proto__"') && !/\\ud[89a-f]/.test(text));
      expect(readJson(text)).toEqual(JSON.parse(text));
      expect(readJson(Buffer.from(canonicalJson(value)))).toEqual(JSON.parse(text));
    }),
  );
});

test('what it reads has a canonical form, whatever the text: no value it gives makes canonicalJson throw', () => {
  let read = 0;
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"__proto__"',
    '1e999',
    '-0',
    '0.10',
    '9007199254740993',
    'null',
    '\ud800',
    ' ',
    '\n',
  );
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')),
      (text) => {
        const value = tryReadJson(text);
        if (value !== undefined) read += Number(readJson(canonicalJson(value)) !== undefined);
      },
    ),
    { numRuns: 2_000 },
  );
  expect(read).toBeGreaterThan(10);
});

describe.each([
  ['a member twice', '{"region":"zurich","region":"moscow"}'],
  ['a member twice, once escaped', String.raw`{"a":1,"\u0061":2}`],
  ['a member twice below', '{"x":[{"y":{"a":1,"b":2,"a":3}}]}'],
  ['a member twice after an array and an object', '{"a":[1,{"b":2}],"b":{},"a":1}'],
  ['an unpaired surrogate as a value', String.raw`{"termsVersion":"\ud800"}`],
  ['an unpaired surrogate as a name', String.raw`{"\udfff":1}`],
  ['two surrogates in the wrong order', String.raw`["\udc00\ud800"]`],
  ['__proto__', '{"__proto__":{"region":"moscow"}}'],
  ['__proto__, escaped', String.raw`{"\u005f_proto__":1}`],
  ['an infinite number', '[1e999]'],
  ['minus infinity', '[-1e999]'],
  ['an integer that a double does not hold', '{"version":9007199254740993}'],
  ['a fraction that rounds to an integer', '{"version":1.00000000000000001}'],
  ['a number that rounds to nothing', '[1e-400]'],
  ['a number of a thousand digits', `[${'1'.repeat(1_000)}]`],
  ['a byte order mark', '\ufeff{}'],
  ['one level too many', `${'['.repeat(JSON_DEPTH + 1)}${']'.repeat(JSON_DEPTH + 1)}`],
  ['a million levels', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
  ['a million levels that never end', '{"a":'.repeat(1_000_000)],
  ['nothing', ''],
  ['two values', '1 2'],
  ['a trailing comma', '[1,]'],
  ['a comment', '{} // done'],
])('%s', (_, text) => {
  test('is refused in text and in bytes', () => {
    expect(() => readJson(text)).toThrow(INVALID);
    expect(() => readJson(Buffer.from(text))).toThrow(INVALID);
    expect(tryReadJson(text)).toBeUndefined();
  });
});

test('a raw unpaired surrogate in a text is refused', () => {
  expect(() => readJson('["\ud800"]')).toThrow(INVALID);
});

test.each([[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xc0, 0x80]])(
  'bytes that are not UTF-8 are refused (%i …)',
  (...bytes) => {
    expect(() =>
      readJson(Buffer.concat([Buffer.from('["'), Buffer.from(bytes), Buffer.from('"]')])),
    ).toThrow(INVALID);
  },
);

test.each([
  ['{"a":{"x":1},"b":{"x":1}}', { a: { x: 1 }, b: { x: 1 } }],
  ['[{"a":1},{"a":1}]', [{ a: 1 }, { a: 1 }]],
  [String.raw`{"a\"":1,"a":"\\","b":"\\\"a\":"}`, { 'a"': 1, a: '\\', b: String.raw`\"a":` }],
  [String.raw`"\ud83d\ude00"`, '\u{1f600}'],
  [
    '[-0,0.10,1E2,1e-3,4.50,1e23,9007199254740991,-12]',
    [-0, 0.1, 100, 0.001, 4.5, 1e23, 9007199254740991, -12],
  ],
  ['{"constructor":1,"prototype":2,"":3}', { constructor: 1, prototype: 2, '': 3 }],
])('%s is read', (text, value) => {
  expect(readJson(text)).toEqual(value);
});

test('names the line, and nothing of the text', () => {
  const text = '{\n  "token": "secret-1",\n  "token": "secret-2"\n}';
  expect(() => readJson(text)).toThrow(
    expect.objectContaining({ problem: 'a member that occurs twice in one object, in line 3' }),
  );
  expect(() => readJson('{\n\n "secret" }')).toThrow(
    expect.objectContaining({
      problem: 'something that is not JSON, in line 3',
      message: expect.not.stringContaining('secret'),
    }),
  );
});
