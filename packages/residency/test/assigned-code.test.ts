import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAssigned } from '../src/assigned-code.ts';
import { COUNTRIES } from '../src/countries.ts';
import { decide } from '../src/decide.ts';
import { PUBLISHED } from './published-policy.ts';

const decided = (text: string): string | undefined => {
  const decision = decide(PUBLISHED, text, Date.UTC(2026, 0, 1));
  return decision.known ? decision.country : undefined;
};

test('249 codes of ISO 3166-1 and XK are assigned, two upper-case letters each, with a name', () => {
  expect(COUNTRIES.size).toBe(250);
  expect(
    [...COUNTRIES].filter(([code, name]) => !/^[A-Z]{2}$/.test(code) || name.trim() === ''),
  ).toEqual([]);
  expect(COUNTRIES.get('CI')).toBe("Côte d'Ivoire");
  expect(COUNTRIES.get('XK')).toBe('Kosovo');
});

test('either case names a country, only upper case is a code', () => {
  expect(['CH', 'ch', 'Ch', 'cH'].map(decided)).toEqual(['CH', 'CH', 'CH', 'CH']);
  expect(['CH', 'ch', 'ZZ', '__proto__'].map(isAssigned)).toEqual([true, false, false, false]);
});

const UNKNOWN = [
  'EU',
  'UK',
  'SU',
  'AN',
  'ZZ',
  'XX',
  'AA',
  'QM',
  'YU',
  'DD',
  'TP',
  'FX',
  'AC',
  'EZ',
  'UN', // reserved, withdrawn, user-assigned
  '',
  'C',
  'CHE',
  'CHE ',
  ' CH',
  'CH ',
  'CH\n',
  '\nCH',
  'C\u0000',
  'CH\u0000',
  '756',
  'C-',
  'CH,DE',
  'Switzerland',
  '\uD800',
  '\uDC00\uD800',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\u0131t',
  '\u0130T',
  '\u017Fe',
  '\u212Ar',
  '\uFB00',
  '\u00DF',
  '\u0421\u041D',
  '\uFF23\uFF28',
  '\u{1F1E8}\u{1F1ED}',
  'C\u0301H', // fold to or look like a code: Turkish i, long s, Kelvin sign, ligature, Cyrillic, full width, flag
];

test.each(UNKNOWN)('%j is no country', (text) => {
  expect(decided(text)).toBeUndefined();
});

// All four spellings of each code, made without any case mapping of text from outside.
const SPELLINGS = new Map(
  [...COUNTRIES.keys()].flatMap((code) => {
    const [first, second] = [0, 1].map((at) => [
      code.charAt(at),
      String.fromCharCode(code.charCodeAt(at) + 32),
    ]);
    return (first ?? []).flatMap((a) => (second ?? []).map((b) => [a + b, code] as const));
  }),
);

test('no text but the four spellings of an assigned code is a country', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.string({ maxLength: 3 }),
        fc.stringMatching(/^[A-Za-z\u0131\u0130\u017F\u212A]{2}$/),
      ),
      (text) => {
        const known = SPELLINGS.get(text);
        expect(decided(text)).toBe(known);
      },
    ),
    { numRuns: 5_000 },
  );
});
