import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPolicy } from '../src/check-policy.ts';
import { COUNTRIES } from '../src/countries.ts';
import { decide } from '../src/decide.ts';
import { BEGINNING_OF_TIME, parseInstant } from '../src/instant.ts';
import type { PolicyDocument, PolicyRule } from '../src/policy.ts';
import { PUBLISHED } from './published-policy.ts';

const ALL = [...COUNTRIES.keys()];
const REST = ALL.filter((code) => code !== 'CH');
const rest: PolicyRule = {
  id: 'rest',
  region: 'zurich',
  from: BEGINNING_OF_TIME,
  countries: REST,
  basis: 'default',
  confidence: 'stated',
  cites: ['GTI §6'],
};
const swiss: PolicyRule = { ...rest, id: 'swiss', countries: ['CH'] };
const base: PolicyDocument = {
  id: 'test',
  version: 1,
  effectiveFrom: BEGINNING_OF_TIME,
  regions: [{ id: 'zurich', sites: ['zrh-1'] }],
  rules: [rest, swiss],
};

/** Codes and messages for a document in which only CH's rules differ. */
function problems(...rules: readonly PolicyRule[]): string[] {
  return checkPolicy({ ...base, rules: [rest, ...rules] }).map(
    ({ code, message }) => `${code}: ${message}`,
  );
}

test('the published policy is sound', () => {
  expect(checkPolicy(PUBLISHED.document)).toEqual([]);
  expect(checkPolicy(base)).toEqual([]);
});

describe('coverage', () => {
  test('a country without a rule is a gap from the beginning to the end of time', () => {
    expect(problems()).toEqual([
      'GAP: Expected one rule from the beginning of time until the end of time, found none for CH.',
    ]);
  });
  test('a gap names its country and its two instants, to the millisecond', () => {
    expect(
      problems(
        { ...swiss, until: '2020-01-01T00:00:00Z' },
        { ...swiss, id: 'later', from: '2020-01-01T00:00:00.001Z' },
      ),
    ).toEqual([
      'GAP: Expected one rule from 2020-01-01T00:00:00.000Z until 2020-01-01T00:00:00.001Z, found none for CH.',
    ]);
  });
  test('a first rule that does not reach back to the beginning of time leaves a gap', () => {
    expect(problems({ ...swiss, from: '1970-01-01' })).toEqual([
      'GAP: Expected one rule from the beginning of time until 1970-01-01T00:00:00.000Z, found none for CH.',
    ]);
  });
  test('an overlap names its countries, its instants and the rules that meet', () => {
    expect(
      problems(
        { ...swiss, until: '2020-01-01T00:00:00.001Z' },
        { ...swiss, id: 'later', from: '2020-01-01T00:00:00Z' },
      ),
    ).toEqual([
      'OVERLAP: Expected one rule from 2020-01-01T00:00:00.000Z until 2020-01-01T00:00:00.001Z, found "swiss" and "later" for CH.',
    ]);
  });
  test('countries with the same gap are named together', () => {
    expect(
      checkPolicy({
        ...base,
        rules: [{ ...rest, countries: REST.filter((code) => code !== 'DE') }],
      }).map(({ message }) => message),
    ).toEqual([expect.stringMatching(/for CH, DE\.$/)]);
  });
  test('offsets count: the same instant written in two zones is one boundary', () => {
    expect(
      problems(
        { ...swiss, until: '2020-01-01T01:00:00+01:00' },
        { ...swiss, id: 'later', from: '2019-12-31T19:00:00-05:00' },
      ),
    ).toEqual([]);
  });

  test('finds no gap and no overlap exactly where decide has an answer at every boundary', () => {
    const years = fc.constantFrom(
      BEGINNING_OF_TIME,
      '2018-01-01',
      '2019-01-01',
      '2020-01-01',
      '2021-01-01',
    );
    const piece = fc.record({
      from: years,
      until: fc.option(years, { nil: undefined }),
      country: fc.constantFrom('CH', 'DE'),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const others = { ...rest, countries: REST.filter((code) => code !== 'DE') };
        const rules = [
          others,
          ...pieces.map(({ country, ...dates }, at) => ({
            ...rest,
            ...dates,
            id: `rule-${at}`,
            countries: [country],
          })),
        ];
        const document = { ...base, rules };
        const instants = [
          -1e15,
          ...['2018', '2019', '2020', '2021'].map((year) => parseInstant(`${year}-01-01`) ?? NaN),
        ];
        const whole = instants.every((at) =>
          ['CH', 'DE'].every((country) => decide({ document, digest: '' }, country, at).known),
        );
        const faults = checkPolicy(document).filter(
          ({ code }) => code === 'GAP' || code === 'OVERLAP',
        );
        expect(faults.length === 0).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is wrong in itself', () => {
  test.each<[string, Partial<PolicyRule>, string]>([
    [
      'an until that is its from',
      { from: '2020-01-01', until: '2020-01-01' },
      'EMPTY_INTERVAL: Rule "added": expected until after from, found from 2020-01-01 until 2020-01-01.',
    ],
    [
      'an until before its from',
      { from: '2020-01-01', until: '2019-01-01' },
      'EMPTY_INTERVAL: Rule "added": expected until after from, found from 2020-01-01 until 2019-01-01.',
    ],
    [
      'an empty beginning of time',
      { until: BEGINNING_OF_TIME },
      `EMPTY_INTERVAL: Rule "added": expected until after from, found from ${BEGINNING_OF_TIME} until ${BEGINNING_OF_TIME}.`,
    ],
    [
      'a date that never was',
      { from: '2019-02-29' },
      'INVALID_INSTANT: Rule "added": expected from and until in RFC 3339, found something else.',
    ],
    [
      'an until that is no date',
      { until: 'never' },
      'INVALID_INSTANT: Rule "added": expected from and until in RFC 3339, found something else.',
    ],
    [
      'unknown codes, by name',
      { countries: ['EU', 'ch', 'EU'] },
      'UNKNOWN_COUNTRY: Rule "added": expected assigned ISO 3166-1 alpha-2 codes or XK in upper case, found EU, ch.',
    ],
    [
      'an undeclared region',
      { countries: [], region: 'toString' },
      'UNDECLARED_REGION: Rule "added": expected a region that the policy declares, found "toString".',
    ],
  ])('%s', (_what, change, problem) => {
    expect(problems(swiss, { ...swiss, id: 'added', ...change })).toContain(problem);
  });
  test('a country twice in one rule is that and no overlap', () => {
    expect(problems({ ...swiss, countries: ['CH', 'CH'] })).toEqual([
      'DUPLICATE_COUNTRY: Rule "swiss": expected each country once, found more of CH.',
    ]);
  });
  test('two rules under one id', () => {
    expect(problems({ ...swiss, until: '2020-01-01' }, { ...swiss, from: '2020-01-01' })).toEqual([
      'DUPLICATE_RULE: Expected one rule "swiss", found more; audit events name rules by id.',
    ]);
  });
  test.each([
    [
      'a site in two regions',
      [
        { id: 'zurich', sites: ['zrh-1'] },
        { id: 'moscow', sites: ['zrh-1'] },
      ],
      ['DUPLICATE_SITE'],
    ],
    [
      'a site twice in one region',
      [{ id: 'zurich', sites: ['zrh-1', 'zrh-1'] }],
      ['DUPLICATE_SITE'],
    ],
    [
      'more sites to settle with than the region has',
      [{ id: 'zurich', sites: ['zrh-1', 'zrh-2'], settleWith: 3 }],
      ['TOO_FEW_SITES'],
    ],
    ['as many', [{ id: 'zurich', sites: ['zrh-1', 'zrh-2'], settleWith: 2 }], []],
    ['a region without a site', [{ id: 'zurich', sites: [] }], ['REGION_WITHOUT_SITE']],
    [
      'a region declared twice',
      [
        { id: 'zurich', sites: ['zrh-1'] },
        { id: 'zurich', sites: ['zrh-2'] },
      ],
      ['DUPLICATE_REGION'],
    ],
  ])('%s', (_what, regions, codes) => {
    expect(checkPolicy({ ...base, regions }).map(({ code }) => code)).toEqual(codes);
  });
  test('an effectiveFrom that is no instant', () => {
    expect(checkPolicy({ ...base, effectiveFrom: 'tomorrow' }).map(({ code }) => code)).toEqual([
      'INVALID_INSTANT',
    ]);
  });
});
