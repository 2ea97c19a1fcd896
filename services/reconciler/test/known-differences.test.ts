import type { Difference } from '@residency/reconciliation';
import { array, assert, boolean, property, record, subarray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KnownDifferences, MOST_OTHERS, MOST_VIOLATIONS } from '../src/known-differences.ts';

const SITES = ['zrh-1', 'mow-1'] as const;
const NONE = { named: [], beyond: [] };
const inList = (
  site: string,
  key: string,
  code: Difference['code'] = 'WRONG_REGION',
): Difference => ({ code, site, key, message: '' });
const inBytes = (site: string, key: string): Difference => ({
  code: 'CONTEXT_DIFFERS',
  site,
  key,
  message: '',
});

const listed = SITES.flatMap((site) => ['a', 'b'].map((key) => inList(site, key)));
const read = SITES.flatMap((site) => ['c', 'd'].map((key) => inBytes(site, key)));
/**
 * A run: the violations that exist then, the sites that stay reachable to the end, whether it is cut,
 * and whether the process ends after it.
 */
const run = record({
  listed: subarray(listed),
  read: subarray(read),
  twice: boolean(),
  there: subarray([...SITES]),
  cut: boolean(),
  restart: boolean(),
});

const nameOf = ({ code, site, key }: Difference): string => `${code} ${site} ${key}`;
const openOf = (names: ReadonlySet<string>): object =>
  Object.fromEntries(
    [...Map.groupBy(names, (name) => name.slice(0, name.lastIndexOf(' ')))].map(([key, some]) => [
      key,
      some.length,
    ]),
  );

describe('the known differences', () => {
  it('count each once, until a survey no longer finds it, whichever sites are unreachable and however often the process ends', () => {
    assert(
      property(array(run, { maxLength: 12 }), (runs) => {
        let known = new KnownDifferences(NONE);
        const open = new Set<string>();
        /** Found in the pass under way, by site, and the run that began it. */
        const passes = new Map<string, { since: number; found: Set<string> }>();
        for (const [
          number,
          { listed: inLists, read: inObjects, twice, there, cut, restart },
        ] of runs.entries()) {
          known.beginsSurvey();
          for (const site of there) {
            if (passes.has(site)) continue;
            passes.set(site, { since: number, found: new Set() });
            known.begins(site);
          }
          const seen = inLists.filter(({ site = '' }) => there.some((one) => one === site));
          for (const difference of twice ? [...seen, ...seen] : seen) {
            expect([nameOf(difference), known.found(difference, number, false)]).toEqual([
              nameOf(difference),
              !open.has(nameOf(difference)),
            ]);
            open.add(nameOf(difference));
          }
          known.surveyed(new Set(there), number);
          for (const name of open)
            if (
              name.startsWith('WRONG_REGION') &&
              there.some((site) => name.includes(site)) &&
              !seen.map(nameOf).includes(name)
            )
              open.delete(name);
          for (const difference of inObjects.filter(({ site = '' }) =>
            there.some((one) => one === site),
          )) {
            expect(known.found(difference, number, true)).toBe(!open.has(nameOf(difference)));
            open.add(nameOf(difference));
            passes.get(difference.site ?? '')?.found.add(nameOf(difference));
          }
          for (const site of cut ? [] : there) {
            const { since = 0, found = new Set() } = passes.get(site) ?? {};
            known.passed(site, since);
            for (const name of open)
              if (name.startsWith(`CONTEXT_DIFFERS ${site}`) && !found.has(name)) open.delete(name);
            passes.delete(site);
          }
          if (restart) known = new KnownDifferences(structuredClone(known.save()));
          expect(
            Object.fromEntries(
              known.open().map(({ code, site, count }) => [`${code} ${site}`, count]),
            ),
          ).toEqual(openOf(open));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('keep a faulty object in flight as the same difference once it is settled', () => {
    const known = new KnownDifferences(NONE);
    expect(known.found(inBytes('mow-1', 'x'), 1, false)).toBe(true);
    known.surveyed(new Set(SITES), 2);
    expect(known.found(inBytes('mow-1', 'x'), 2, true)).toBe(false);
    known.passed('mow-1', 2);
    expect(known.open()).toEqual([{ site: 'mow-1', code: 'CONTEXT_DIFFERS', count: 1 }]);
  });

  it('distinguish differences without a key by position and submission', () => {
    const known = new KnownDifferences(NONE);
    const about = (position: string): Difference => ({
      code: 'PREVIOUS_BROKEN',
      position,
      message: '',
    });
    expect(['0/1', '0/2', '0/1'].map((position) => known.found(about(position), 1, false))).toEqual(
      [true, true, false],
    );
    expect(known.open()).toEqual([]);
  });

  it('name as many as the limit, and count the others: one more than the highest count is new', () => {
    const known = new KnownDifferences(NONE);
    const many = Array.from({ length: MOST_VIOLATIONS + 50 }, (_, key) =>
      inList('mow-1', String(key), 'FOREIGN_OBJECT'),
    );
    const survey = (of: KnownDifferences, number: number, some: readonly Difference[]): number => {
      of.beginsSurvey();
      const fresh = some.filter((difference) => of.found(difference, number, false)).length;
      of.surveyed(new Set(['mow-1']), number);
      return fresh;
    };
    expect(survey(known, 1, many)).toBe(MOST_VIOLATIONS + 50);
    expect(survey(known, 2, many.toReversed())).toBe(0);
    const restarted = new KnownDifferences(structuredClone(known.save()));
    expect(survey(restarted, 3, many)).toBe(0);
    expect(restarted.open()).toEqual([
      { site: 'mow-1', code: 'FOREIGN_OBJECT', count: MOST_VIOLATIONS + 50 },
    ]);
    expect(survey(restarted, 4, [...many, inList('mow-1', 'one more', 'FOREIGN_OBJECT')])).toBe(1);
    // Some of the named ones are gone: the others get their names, and are not new.
    expect(survey(restarted, 5, many.slice(100))).toBe(0);
    expect(survey(restarted, 6, many.slice(100))).toBe(0);
    expect(restarted.open()).toEqual([
      { site: 'mow-1', code: 'FOREIGN_OBJECT', count: MOST_VIOLATIONS - 50 },
    ]);
    expect(survey(restarted, 7, [])).toBe(0);
    expect([restarted.open(), restarted.save()]).toEqual([[], { named: [], beyond: [] }]);
  });

  it('reserve room for violations beside other differences', () => {
    const known = new KnownDifferences(NONE);
    for (let key = 0; key < MOST_OTHERS + 10; key += 1)
      expect(known.found(inList('zrh-1', String(key), 'OBJECT_MISSING'), 1, true)).toBe(true);
    expect([
      known.save().named.length,
      known.found(inList('zrh-1', '0'), 1, false),
      known.found(inList('zrh-1', '0', 'OBJECT_MISSING'), 1, true),
    ]).toEqual([MOST_OTHERS, true, false]);
  });

  it('hold no name from outside', () => {
    const known = new KnownDifferences(NONE);
    known.found(inList('zrh-1', 'canary0canary', 'FOREIGN_OBJECT'), 1, false);
    expect(JSON.stringify(known.save())).not.toContain('canary');
  });

  it('forget those of sites that no longer exist', () => {
    const known = new KnownDifferences(NONE);
    for (const site of SITES) known.found(inList(site, 'a'), 1, false);
    expect(known.forget((site) => site === 'mow-1').map(({ site }) => site)).toEqual(['zrh-1']);
    expect(known.open().map(({ site }) => site)).toEqual(['mow-1']);
  });
});
