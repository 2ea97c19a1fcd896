import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAssigned, twoLetterCode } from '../src/assigned-code.ts';
import { COUNTRIES } from '../src/countries.ts';
import { decide } from '../src/decide.ts';
import { parseInstant } from '../src/instant.ts';
import type { PolicyDocument } from '../src/policy.ts';
import { PUBLISHED } from './published-policy.ts';

const EUROPE_STARTS = Date.UTC(2018, 10, 13);
const REST_COMPLETED = Date.UTC(2020, 10, 17);
const BOUNDARIES = [
  ...new Set(PUBLISHED.document.rules.flatMap(({ from, until }) => [from, until ?? from])),
].map((text) => parseInstant(text) ?? NaN);

function regionOf(country: string, at: number): string | undefined {
  const decision = decide(PUBLISHED, country, at);
  return decision.known ? decision.region : undefined;
}

/** Regions one millisecond before and at each of the two moves. */
function course(country: string): (string | undefined)[] {
  return [EUROPE_STARTS - 1, EUROPE_STARTS, REST_COMPLETED - 1, REST_COMPLETED].map((at) =>
    regionOf(country, at),
  );
}

const SINCE_2018 = ['moscow', 'zurich', 'zurich', 'zurich'];
const SINCE_2020 = ['moscow', 'moscow', 'moscow', 'zurich'];
const NEVER = ['moscow', 'moscow', 'moscow', 'moscow'];

describe('the published table', () => {
  test.each(['CH', 'DE', 'FR', 'GB', 'NO', 'UA', 'BY', 'MD', 'RS', 'VA', 'IS', 'CY', 'XK'])(
    '%s is Europe: Zurich since 2018-11-13',
    (country) => {
      expect(course(country)).toEqual(SINCE_2018);
    },
  );
  // GTI §2, each by name.
  test.each([
    ['Japan', 'JP'],
    ['Australia', 'AU'],
    ['New Zealand', 'NZ'],
    ['Bangladesh', 'BD'],
    ['Brunei', 'BN'],
    ['Cambodia', 'KH'],
    ['India', 'IN'],
    ['Indonesia', 'ID'],
    ['South Korea', 'KR'],
    ['Laos', 'LA'],
    ['Malaysia', 'MY'],
    ['Nepal', 'NP'],
    ['Pakistan', 'PK'],
    ['the Philippines', 'PH'],
    ['Singapore', 'SG'],
    ['Sri Lanka', 'LK'],
    ['Thailand', 'TH'],
    ['Vietnam', 'VN'],
    ['the United States', 'US'],
    ['Canada', 'CA'],
  ])('%s is named: Zurich since 2020-11-17', (_name, country) => {
    expect(course(country)).toEqual(SINCE_2020);
    expect(decide(PUBLISHED, country, REST_COMPLETED)).toMatchObject({
      rule: { basis: 'named', confidence: 'completion-date' },
    });
  });
  test.each([
    'RU',
    'TR',
    'IL',
    'CN',
    'TW',
    'KP',
    'GE',
    'KZ',
    'MX',
    'BR',
    'AE',
    'SA',
    'ZA',
    'MM',
    'AQ',
    'EH',
    'PS',
    'FM',
  ])('%s was not relocated: Moscow by default', (country) => {
    expect(course(country)).toEqual(NEVER);
    expect(decide(PUBLISHED, country, REST_COMPLETED)).toMatchObject({
      rule: { basis: 'default', cites: ['GTI §6'] },
    });
  });
  test.each([
    ['GL', 'DK'],
    ['FO', 'DK'],
    ['AX', 'FI'],
    ['SJ', 'NO'],
    ['BV', 'NO'],
    ['GI', 'GB'],
    ['JE', 'GB'],
    ['BM', 'GB'],
    ['FK', 'GB'],
    ['RE', 'FR'],
    ['NC', 'FR'],
    ['TF', 'FR'],
    ['AW', 'NL'],
    ['BQ', 'NL'],
    ['PR', 'US'],
    ['UM', 'US'],
    ['CK', 'NZ'],
    ['HM', 'AU'],
    ['HK', 'CN'],
    ['MO', 'CN'],
  ])('%s is a territory of %s and follows it', (territory, state) => {
    expect(course(territory)).toEqual(course(state));
    expect(decide(PUBLISHED, territory, REST_COMPLETED)).toMatchObject({
      rule: { basis: 'territory', id: expect.stringMatching(`-of-${state.toLowerCase()}$`) },
    });
  });
});

test('Zurich has its two sites in order, Moscow one, and the decision names its rule and its policy', () => {
  expect(decide(PUBLISHED, 'ch', REST_COMPLETED)).toEqual({
    known: true,
    country: 'CH',
    settleWith: 1,
    region: 'zurich',
    sites: ['zrh-1', 'zrh-2'],
    policy: { id: 'residency', version: 1, digest: PUBLISHED.digest },
    rule: PUBLISHED.document.rules.find(({ id }) => id === 'zurich-europe'),
  });
  expect(decide(PUBLISHED, 'RU', REST_COMPLETED)).toMatchObject({
    region: 'moscow',
    sites: ['mow-1'],
  });
});

test('every code has exactly one answer at every boundary, one millisecond before and after, at the ends of time and between', () => {
  const instants = [
    ...BOUNDARIES.flatMap((at) => [at - 1, at, at + 1]),
    0,
    -Number.MAX_VALUE,
    Number.MAX_VALUE,
  ];
  const unanswered = [...COUNTRIES.keys()].flatMap((country) =>
    instants.filter((at) => !decide(PUBLISHED, country, at).known).map((at) => [country, at]),
  );
  expect(unanswered).toEqual([]);
  fc.assert(
    fc.property(
      fc.constantFrom(...COUNTRIES.keys()),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (country, at) => {
        const rules = PUBLISHED.document.rules.filter(
          ({ countries, from, until }) =>
            countries.includes(country) &&
            (from.startsWith('0000') || (parseInstant(from) ?? NaN) <= at) &&
            (until === undefined || at < (parseInstant(until) ?? NaN)),
        );
        expect(rules).toHaveLength(1);
        expect(decide(PUBLISHED, country, at)).toMatchObject({ known: true, rule: rules[0] });
      },
    ),
  );
});

test('what is no country never falls into the default, whatever it is and whenever it is asked', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string({ maxLength: 3 }),
        fc.constantFrom(
          'EU',
          'UK',
          'SU',
          'AN',
          'ZZ',
          'XX',
          '',
          'CHE',
          '__proto__',
          'constructor',
          '\u0131t',
          '\uD800',
        ),
      ),
      fc.double(),
      (text, at) => {
        fc.pre(!isAssigned(twoLetterCode(text) ?? ''));
        expect(decide(PUBLISHED, text, at)).toEqual({ known: false });
      },
    ),
    { numRuns: 5_000 },
  );
});

test.each([NaN, Infinity, -Infinity])(
  'an instant that is none (%s) is never answered with two rules or a crash',
  (at) => {
    const decision = decide(PUBLISHED, 'CH', at);
    expect(decision.known).toBe(at === -Infinity);
  },
);

describe('a policy that checkPolicy would refuse', () => {
  const [region] = PUBLISHED.document.regions;
  const rule = {
    id: 'one',
    region: 'zurich',
    from: '2020-01-01',
    until: '2021-01-01',
    countries: ['CH'],
    basis: 'named',
    confidence: 'stated',
    cites: ['GTI §1'],
  } as const;
  const of = (rules: PolicyDocument['rules']) => ({
    digest: '',
    document: { ...PUBLISHED.document, regions: region === undefined ? [] : [region], rules },
  });
  const at = Date.UTC(2020, 5, 1);

  test('answers unknown in a gap, in an overlap, in an undeclared region and without a readable date', () => {
    expect(decide(of([rule]), 'CH', at)).toMatchObject({ known: true, rule: { id: 'one' } });
    expect(decide(of([rule]), 'CH', Date.UTC(2021, 0, 1))).toEqual({ known: false });
    expect(decide(of([rule, { ...rule, id: 'two' }]), 'CH', at)).toEqual({ known: false });
    expect(decide(of([{ ...rule, region: '__proto__' }]), 'CH', at)).toEqual({ known: false });
    expect(decide(of([{ ...rule, from: 'soon' }]), 'CH', at)).toEqual({ known: false });
  });
  test('takes a country listed twice in one rule as listed once', () => {
    expect(decide(of([{ ...rule, countries: ['CH', 'CH'] }]), 'CH', at)).toMatchObject({
      known: true,
    });
  });
});
