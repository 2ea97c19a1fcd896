import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from '../src/decide.ts';
import { formatInstant } from '../src/instant.ts';
import { policyDiff } from '../src/policy-diff.ts';
import type { PolicyRule, PolicyVersion } from '../src/policy.ts';

const regions = [
  { id: 'a', sites: ['a-1'] },
  { id: 'b', sites: ['b-1'] },
];
const rule = (
  region: string,
  countries: readonly string[],
  from: number,
  until?: number,
): PolicyRule => ({
  id: `${region}-${from}`,
  region,
  countries,
  from: formatInstant(from),
  ...(until === undefined ? {} : { until: formatInstant(until) }),
  basis: 'named',
  confidence: 'stated',
  cites: ['x'],
});
let digests = 0;
const policy = (...rules: readonly PolicyRule[]): PolicyVersion => ({
  document: { id: 'p', version: 2, effectiveFrom: formatInstant(0), regions, rules },
  digest: String((digests += 1)),
});

test('names who moves and when, what becomes unknown, and nobody else', () => {
  const before = policy(rule('a', ['CH', 'DE', 'SU'], 0));
  const after = policy(rule('a', ['CH'], 0, 500), rule('b', ['CH'], 500), rule('a', ['DE'], 0));
  expect(policyDiff(before, after, 100)).toEqual([
    { country: 'CH', from: 500, until: Infinity, before: 'a', after: 'b' },
    { country: 'SU', from: 100, until: Infinity, before: 'a', after: null },
  ]);
  expect(policyDiff(before, before, -Infinity)).toEqual([]);
});

test('a rule that only has another name or end moves nobody', () => {
  expect(
    policyDiff(
      policy(rule('a', ['CH'], 0)),
      policy(rule('a', ['CH'], 0, 500), rule('a', ['CH'], 500)),
      0,
    ),
  ).toEqual([]);
});

test('at every instant a country is in a move exactly if the two documents decide apart', () => {
  const some = fc
    .array(
      fc.record({
        region: fc.constantFrom('a', 'b'),
        from: fc.integer({ min: 0, max: 9 }),
        length: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      }),
      { maxLength: 4 },
    )
    .map((rules) =>
      policy(
        ...rules.map(({ region, from, length }) =>
          rule(region, ['CH'], from, length === undefined ? undefined : from + length),
        ),
      ),
    );
  fc.assert(
    fc.property(some, some, fc.integer({ min: 0, max: 20 }), (before, after, at) => {
      const region = (of: PolicyVersion): string | null => {
        const decision = decide(of, 'CH', at);
        return decision.known ? decision.region : null;
      };
      const found = policyDiff(before, after, 0).filter(
        ({ from, until }) => from <= at && at < until,
      );
      const expected = region(before) === region(after) ? [] : [[region(before), region(after)]];
      expect(found.map((move) => [move.before, move.after])).toEqual(expected);
    }),
  );
});
