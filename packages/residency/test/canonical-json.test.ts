import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, canonicalWriter } from '../src/canonical-json.ts';

// RFC 8785 §3.2.2: the sample input; §3.2.3: what it becomes; §3.2.4: its bytes.
const SAMPLE = String.raw`{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`;
const SAMPLE_BYTES = `
  7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 72 73 22 3a
  5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 30 32 2c 31 65 2d 32 37
  5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c 22 5c 5c 5c 5c 5c 22 2f 22 7d`;

test('RFC 8785 §3.2.4: the sample has the published bytes', () => {
  expect(Buffer.from(canonicalJson(JSON.parse(SAMPLE)), 'utf8').toString('hex')).toBe(
    SAMPLE_BYTES.replaceAll(/\s/g, ''),
  );
});

test('RFC 8785 §3.2.3: members are sorted by UTF-16 code units, not by code points', () => {
  const input = String.raw`{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}`;
  const values = [...canonicalJson(JSON.parse(input)).matchAll(/:"([^"]*)"/g)].map(
    ([, value]) => value,
  );
  expect(values).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ]);
});

// RFC 8785 Appendix B: IEEE 754 bits and their text.
const NUMBERS = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
] as const;

describe('RFC 8785 Appendix B', () => {
  test.each(NUMBERS)('%s is written %s', (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
  });
  test.each(['7fffffffffffffff', '7ff0000000000000'])(
    '%s (not a number, infinity) is refused',
    (bits) => {
      expect(() => canonicalJson([Buffer.from(bits, 'hex').readDoubleBE()])).toThrow(TypeError);
    },
  );
});

test('lone surrogates are refused in values and in names (§3.2.2.2)', () => {
  expect(() => canonicalJson({ text: 'a\uD800' })).toThrow(TypeError);
  expect(() => canonicalJson({ 'a\uDC00': 1 })).toThrow(TypeError);
});

test('what JSON can not say is refused, undefined members are left out', () => {
  expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
  for (const value of [undefined, 1n, Symbol('s'), () => 1, [undefined]])
    expect(() => canonicalJson(value)).toThrow(TypeError);
});

test('says the same as JSON.parse reads, whatever the order of members', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // -0 is written 0 (Appendix B), as JSON.stringify does.
      const plain: unknown = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(plain);
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
    }),
  );
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

test('a writer of one shape writes what canonicalJson writes, whatever is in the members', () => {
  const leaf = fc.jsonValue();
  const atom = fc.oneof(fc.string(), fc.integer(), fc.constant(null));
  const inner = fc.record({ z: leaf, b: leaf, '"\u00e9': leaf }, { requiredKeys: [] });
  const outer = fc.record(
    {
      b: leaf,
      list: fc.oneof(atom, fc.array(fc.oneof(atom, inner))),
      a: fc.oneof(atom, inner),
      c: inner,
    },
    { requiredKeys: [] },
  );
  const member = { z: true, b: true, '"\u00e9': true } as const;
  const write = canonicalWriter({ list: [member], b: true, c: member, a: member });
  fc.assert(
    fc.property(outer, (value) => {
      expect(write(value)).toBe(canonicalJson(value));
    }),
  );
  expect(write({ a: { b: undefined, z: 'a' }, list: [], b: undefined })).toBe(
    '{"a":{"z":"a"},"list":[]}',
  );
  expect(() => write({ b: 'a\uD800' })).toThrow(TypeError);
  expect(() => write({ a: undefined, c: { b: Infinity } })).toThrow(TypeError);
});
