import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatInstant } from '../src/instant.ts';
import { invalidPolicies, policyInForce, validPolicies } from '../src/policy-in-force.ts';
import type { PolicyDocument, PolicyPublished } from '../src/policy.ts';
import { PUBLISHED } from './published-policy.ts';

let documents = 0;
function version(
  number: number,
  times: { readonly appended: number; readonly effective?: number },
  change: Partial<PolicyDocument> = {},
): PolicyPublished {
  const document = {
    ...PUBLISHED.document,
    version: number,
    effectiveFrom: formatInstant(times.effective ?? times.appended),
    ...change,
  };
  return { document, digest: String(++documents).padStart(64, '0'), appendedAt: times.appended };
}
function inForce(published: readonly PolicyPublished[], at: number): number | undefined {
  return policyInForce(published, at)?.document.version;
}
function ignored(published: readonly PolicyPublished[]): [number, string][] {
  return invalidPolicies(published).map(({ published: { document }, code }) => [
    document.version,
    code,
  ]);
}

const first = version(1, { appended: 1_000, effective: 5_000 });

describe('in force', () => {
  test('nothing, where nothing was published', () => {
    expect(policyInForce([], 0)).toBeUndefined();
  });
  test('version 1 since ever, whatever its effectiveFrom says', () => {
    expect([-1e15, 0, 999, 1_000, 1e15].map((at) => inForce([first], at))).toEqual([1, 1, 1, 1, 1]);
  });
  test('a later version from its effectiveFrom on, to the millisecond', () => {
    const published = [first, version(2, { appended: 2_000, effective: 3_000 })];
    expect([2_000, 2_999, 3_000, 3_001].map((at) => inForce(published, at))).toEqual([1, 1, 2, 2]);
  });
  test('a version effective in the very millisecond of its append', () => {
    const published = [first, version(2, { appended: 2_000 })];
    expect([1_999, 2_000].map((at) => inForce(published, at))).toEqual([1, 2]);
    expect(invalidPolicies(published)).toEqual([]);
  });
  test('the higher version of two with one effectiveFrom', () => {
    expect(
      inForce(
        [
          first,
          version(2, { appended: 2_000, effective: 3_000 }),
          version(3, { appended: 2_500, effective: 3_000 }),
        ],
        3_000,
      ),
    ).toBe(3);
  });
  test('a higher version only until a lower one with a later effectiveFrom takes over', () => {
    const published = [
      first,
      version(2, { appended: 2_000, effective: 9_000 }),
      version(3, { appended: 2_500, effective: 3_000 }),
    ];
    expect([2_999, 3_000, 8_999, 9_000].map((at) => inForce(published, at))).toEqual([1, 3, 3, 2]);
  });
  test('nothing before a log whose first valid version is not version 1', () => {
    const published = [version(2, { appended: 2_000 })];
    expect([1_999, 2_000].map((at) => inForce(published, at))).toEqual([undefined, 2]);
  });
});

describe('ignored, and said so', () => {
  test('a version that would change the past', () => {
    const published = [first, version(2, { appended: 2_000, effective: 1_999 })];
    expect(inForce(published, 5_000)).toBe(1);
    expect(invalidPolicies(published)).toEqual([
      {
        published: published[1],
        code: 'RETROACTIVE',
        message:
          'Expected residency/2 to be effective from 1970-01-01T00:00:02.000Z, when it was appended, or later, found 1970-01-01T00:00:01.999Z. Publish it with a later effectiveFrom.',
      },
    ]);
  });
  test('an unsound version; its number stays free for the corrected one', () => {
    const published = [
      first,
      version(2, { appended: 2_000 }, { rules: first.document.rules.slice(1) }),
      version(2, { appended: 3_000 }),
    ];
    expect([2_500, 3_000].map((at) => inForce(published, at))).toEqual([1, 2]);
    expect(ignored(published)).toEqual([[2, 'UNSOUND']]);
    expect(invalidPolicies(published)[0]?.message).toContain('found none');
  });
  test('an unsound version 1: then nothing is in force', () => {
    expect(policyInForce([version(1, { appended: 0 }, { regions: [] })], 5_000)).toBeUndefined();
  });
  test('an effectiveFrom that can not be read', () => {
    expect(
      ignored([first, version(2, { appended: 2_000 }, { effectiveFrom: 'tomorrow' })]),
    ).toEqual([[2, 'UNSOUND']]);
  });
  test('another document under a number that is taken, be it version 1', () => {
    const published = [
      first,
      version(2, { appended: 2_000 }),
      version(2, { appended: 3_000 }),
      version(1, { appended: 4_000 }),
    ];
    expect(policyInForce(published, 5_000)).toBe(published[1]);
    expect(policyInForce(published, 0)).toBe(first);
    expect(ignored(published)).toEqual([
      [2, 'VERSION_TAKEN'],
      [1, 'VERSION_TAKEN'],
    ]);
  });
  test('a number below a valid one', () => {
    expect(
      ignored([first, version(3, { appended: 2_000 }), version(2, { appended: 3_000 })]),
    ).toEqual([[2, 'VERSION_NOT_GREATER']]);
  });
  test('a version 1 that comes after a later version: it would decide the past anew', () => {
    expect(ignored([version(2, { appended: 2_000 }), first])).toEqual([[1, 'VERSION_NOT_GREATER']]);
  });
  describe('a version that moves the arbiter of a region, or drops one of its sites', () => {
    const regions = first.document.regions;
    const withZurich = (...sites: readonly string[]) => ({
      regions: regions.map((region) => (region.id === 'zurich' ? { ...region, sites } : region)),
    });
    const second = (change: Partial<PolicyDocument>): PolicyPublished =>
      version(2, { appended: 2_000 }, change);

    test.each<[string, Partial<PolicyDocument>, string]>([
      [
        'the sites in another order',
        withZurich('zrh-2', 'zrh-1'),
        'zrh-1 to stay the first site of region zurich in residency/2, found zrh-2',
      ],
      ['a new first site before the others', withZurich('zrh-3', 'zrh-1', 'zrh-2'), 'found zrh-3'],
      ['other sites', withZurich('zrh-3', 'zrh-4'), 'found zrh-3'],
      ['a later site left out', withZurich('zrh-1'), 'keep site zrh-2 in region zurich'],
      ['a later site replaced', withZurich('zrh-1', 'zrh-3'), 'keep site zrh-2'],
      [
        'a site that moves to another region',
        {
          regions: regions.map((region) =>
            region.id === 'zurich'
              ? { ...region, sites: ['zrh-1'] }
              : { ...region, sites: [...region.sites, 'zrh-2'] },
          ),
        },
        'keep site zrh-2',
      ],
      [
        "the regions' sites swapped",
        {
          regions: regions.map((region) => ({
            ...region,
            sites: region.id === 'zurich' ? ['mow-1'] : ['zrh-1', 'zrh-2'],
          })),
        },
        'found mow-1',
      ],
      [
        'a region that is gone',
        {
          regions: regions.filter(({ id }) => id === 'zurich'),
          rules: first.document.rules.map((rule) => ({ ...rule, region: 'zurich' })),
        },
        'keep region moscow',
      ],
    ])('%s', (_, change, found) => {
      const published = [first, second(change)];
      expect(ignored(published)).toEqual([[2, 'ARBITER_CHANGED']]);
      expect(invalidPolicies(published)[0]?.message).toContain(found);
      expect(inForce(published, 9_000)).toBe(1);
    });
    test.each<[string, Partial<PolicyDocument>]>([
      ['a site behind the last', withZurich('zrh-1', 'zrh-2', 'zrh-3')],
      ['a site between the first and the others', withZurich('zrh-1', 'zrh-3', 'zrh-2')],
      ['a region more', { regions: [...regions, { id: 'third', sites: ['thi-1'] }] }],
    ])('but not %s', (_, change) => {
      expect(ignored([first, second(change)])).toEqual([]);
    });
    test('compared with every valid version before it, and with no invalid one', () => {
      const grown = second(withZurich('zrh-1', 'zrh-2', 'zrh-3'));
      const refused = version(3, { appended: 3_000 }, withZurich('zrh-9'));
      expect(
        ignored([
          first,
          grown,
          refused,
          version(4, { appended: 4_000 }, withZurich('zrh-1', 'zrh-2')),
        ]),
      ).toEqual([
        [3, 'ARBITER_CHANGED'],
        [4, 'ARBITER_CHANGED'],
      ]);
      expect(
        ignored([
          first,
          grown,
          refused,
          version(4, { appended: 4_000 }, withZurich('zrh-1', 'zrh-3', 'zrh-2')),
        ]),
      ).toEqual([[3, 'ARBITER_CHANGED']]);
    });
    test('for any publications, each region keeps its first site and all its sites in all valid versions', () => {
      const sites = fc.uniqueArray(fc.constantFrom('zrh-1', 'zrh-2', 'zrh-3', 'mow-1', 'mow-2'), {
        minLength: 1,
      });
      const step = fc.record({ zurich: sites, moscow: sites });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
          const published = [
            first,
            ...steps.map((chosen, index) =>
              version(
                index + 2,
                { appended: 2_000 + index },
                { regions: Object.entries(chosen).map(([id, names]) => ({ id, sites: names })) },
              ),
            ),
          ];
          const valid = validPolicies(published);
          for (const [index, { document }] of valid.entries()) {
            for (const { document: earlier } of valid.slice(0, index)) {
              for (const { id, sites: before } of earlier.regions) {
                const after = document.regions.find((region) => region.id === id)?.sites ?? [];
                expect(after[0]).toBe(before[0]);
                expect(after).toEqual(expect.arrayContaining([...before]));
              }
            }
          }
        }),
      );
    });
  });
  test('a version of another policy', () => {
    expect(ignored([first, version(2, { appended: 2_000 }, { id: 'other' })])).toEqual([
      [2, 'OTHER_POLICY'],
    ]);
  });
  test('but not the same document published again', () => {
    const second = version(2, { appended: 2_000 });
    const published = [
      first,
      second,
      { ...second, appendedAt: 9_000 },
      { ...first, appendedAt: 9_000 },
    ];
    expect(invalidPolicies(published)).toEqual([]);
    expect(inForce(published, 9_000)).toBe(2);
  });
});

test('what is appended after an instant never changes which policy was in force then', () => {
  const step = fc.record({
    wait: fc.nat(1_000),
    ahead: fc.integer({ min: -500, max: 2_000 }),
    number: fc.integer({ min: 1, max: 6 }),
    sound: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.nat(10_000), (steps, at) => {
      let appended = 1_000;
      const published = [
        first,
        ...steps.map(({ wait, ahead, number, sound }) => {
          appended += wait;
          return version(
            number,
            { appended, effective: appended + ahead },
            sound ? {} : { regions: [] },
          );
        }),
      ];
      const seen = published.filter(({ appendedAt }) => appendedAt <= Math.max(at, 1_000));
      expect(policyInForce(published, at)).toBe(policyInForce(seen, at));
    }),
  );
});
