import type { SeededRandom } from '../seeded-random.ts';

/**
 * A spoiled text. `never`: it has no meaning, or two, so no reader may accept it as the original.
 */
export interface Spoiled {
  readonly bytes: Buffer;
  readonly never: boolean;
}

const LONE = [String.raw`"\ud800"`, String.raw`"\udfff"`, String.raw`"x\udc00\ud800"`];
const BROKEN_UTF8 = [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xc0, 0x80]];
const OTHER_VALUES = [
  'null',
  'true',
  '[]',
  '{}',
  '0',
  '-1',
  '1.5',
  '"x"',
  '""',
  '9007199254740991',
  JSON.stringify('é'.repeat(129)),
  JSON.stringify('x'.repeat(2_001)),
  '"\\u0000"',
  '"\u202e"',
  '"\\ufffd"',
];
const NEVER_NUMBERS = [
  '1e999',
  '-1e999',
  '9007199254740993',
  '1e-400',
  '01',
  '+1',
  '.5',
  'NaN',
  'Infinity',
  '0x10',
];
const NAMES = [
  'constructor',
  'prototype',
  'toString',
  '',
  'then',
  'length',
  '\\u0000',
  'CONSENTID',
];

type Spoil = (text: string, random: SeededRandom) => Spoiled;
const text = (bytes: string, never: boolean): Spoiled => ({ bytes: Buffer.from(bytes), never });

/**
 * The places of values in the text: after a colon, up to the end of a string, number or literal.
 */
function values(json: string): readonly (readonly [start: number, end: number])[] {
  return [...json.matchAll(/:\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)/g)].map(
    (match) => {
      const end = match.index + match[0].length;
      return [end - (match[1]?.length ?? 0), end] as const;
    },
  );
}

function replaced(json: string, random: SeededRandom, by: string): string {
  const all = values(json);
  if (all.length === 0) return by;
  const [start, end] = random.pick(all);
  return json.slice(0, start) + by + json.slice(end);
}

const members = (json: string): readonly string[] =>
  [...json.matchAll(/"(\w+)"\s*:/g)].map(([, name = '']) => name);
const member = (json: string, added: string): string => json.replace('{', `{${added},`);

const SPOILS: readonly Spoil[] = [
  (json, random) => text(replaced(json, random, random.pick(LONE)), true),
  (json) => text(member(json, String.raw`"\ud800":1`), true),
  (json, random) =>
    text(member(json, `"${members(json)[0] ?? 'a'}":${random.pick(OTHER_VALUES)}`), true),
  (json, random) => text(member(json, `"x":{"a":${random.pick(OTHER_VALUES)},"a":1}`), true),
  (json) => text(member(json, '"__proto__":{"polluted":true}'), true),
  (json, random) => text(replaced(json, random, random.pick(NEVER_NUMBERS)), true),
  (json, random) => {
    const depth = 600 + random.below(30_000);
    return text(
      replaced(json, random, '['.repeat(depth) + (random.chance(0.5) ? ']'.repeat(depth) : '')),
      true,
    );
  },
  (json) => text(`\ufeff${json}`, true),
  (json, random) => text(json.slice(0, random.below(json.length)), true),
  (json, random) => {
    const at = random.below(json.length);
    return {
      bytes: Buffer.concat([
        Buffer.from(json.slice(0, at)),
        Buffer.from(random.pick(BROKEN_UTF8)),
        Buffer.from(json.slice(at)),
      ]),
      never: true,
    };
  },
  (json) => ({ bytes: Buffer.from(json, 'utf16le'), never: true }),
  // These may be accepted, because the result can be valid.
  (json, random) => text(replaced(json, random, random.pick(OTHER_VALUES)), false),
  (json, random) =>
    text(member(json, `"${random.pick(NAMES)}":${random.pick(OTHER_VALUES)}`), false),
  (json, random) =>
    text(
      json.replace(
        new RegExp(`"${random.pick(members(json))}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*"|\\d+)\\s*,?`),
        '',
      ),
      false,
    ),
  (json, random) => {
    const bytes = Buffer.from(json);
    bytes[random.below(bytes.length)] = random.below(256);
    return { bytes, never: false };
  },
  (_, random) => text(random.pick(['null', '[]', '{}', '""', '0', ' ', '[{}]']), false),
];

/** The same seed spoils a text in the same way. */
export function spoil(json: string, random: SeededRandom): Spoiled {
  return random.pick(SPOILS)(json, random);
}
