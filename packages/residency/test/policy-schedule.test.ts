import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatInstant } from '../src/instant.ts';
import { policyInForce } from '../src/policy-in-force.ts';
import { policySchedule } from '../src/policy-schedule.ts';
import type { PolicyPublished } from '../src/policy.ts';
import { PUBLISHED } from './published-policy.ts';

function version(number: number, appendedAt: number, effective: number): PolicyPublished {
  const document = {
    ...PUBLISHED.document,
    version: number,
    effectiveFrom: formatInstant(effective),
  };
  return { document, digest: `${number} ${appendedAt} ${effective}`, appendedAt };
}

test('names every version with its time, a lower one after a higher one, and none that another replaced', () => {
  const published = [
    version(1, 0, 0),
    version(2, 10, 900),
    version(3, 20, 300),
    version(4, 30, 300),
  ];
  expect(
    policySchedule(published).map(({ policy, from, until }) => [
      policy.document.version,
      from,
      until,
    ]),
  ).toEqual([
    [1, -Infinity, 300],
    [4, 300, 900],
    [2, 900, Infinity],
  ]);
});

test('answers for every instant what policyInForce answers', () => {
  const versions = fc.array(
    fc.record({
      number: fc.integer({ min: 1, max: 6 }),
      effective: fc.integer({ min: 0, max: 20 }),
    }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(versions, fc.integer({ min: -1, max: 25 }), (all, at) => {
      const published = all.map(({ number, effective }, index) =>
        version(number, index, effective),
      );
      const found = policySchedule(published).filter(({ from, until }) => from <= at && at < until);
      expect(found.map(({ policy }) => policy)).toEqual(
        [policyInForce(published, at)].filter((one) => one !== undefined),
      );
    }),
  );
});
