import { BEGINNING_OF_TIME, COUNTRIES } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import { describe, expect, it } from 'vitest';
import { PolicyBook, sitesByRegion } from '../src/index.ts';

const APPENDED = Date.parse('2020-01-01T00:00:00Z');
const AT = Date.parse('2024-01-01T00:00:00Z');

/**
 * A version with Switzerland in Zurich and all others in Moscow. Version 1 has always been in
 * force, the others since their year.
 */
function version(
  number: number,
  zurich: readonly string[] = ['zrh-1', 'zrh-2'],
  appendedAt = APPENDED,
): PolicyPublished {
  const rule = {
    from: BEGINNING_OF_TIME,
    basis: 'named',
    confidence: 'stated',
    cites: ['a source'],
  } as const;
  return {
    digest: `digest-${number}`,
    appendedAt,
    document: {
      id: 'gti',
      version: number,
      effectiveFrom: `20${20 + number}-01-01T00:00:00Z`,
      regions: [
        { id: 'zurich', sites: zurich },
        { id: 'moscow', sites: ['mow-1'] },
      ],
      rules: [
        { ...rule, id: 'rule-zurich', region: 'zurich', countries: ['CH'] },
        {
          ...rule,
          id: 'rule-moscow',
          region: 'moscow',
          countries: [...COUNTRIES.keys()].filter((code) => code !== 'CH'),
        },
      ],
    },
  };
}

/** A policy log that may grow, with a count of its reads. */
function policyLog(...published: PolicyPublished[]) {
  const log = {
    published,
    reads: 0,
    read: async () => {
      log.reads += 1;
      return [...log.published];
    },
  };
  return log;
}

describe('sites by region', () => {
  it('are those of all valid versions together, in the order in which they were first named', () => {
    const found = sitesByRegion([
      version(1),
      version(2, ['zrh-1', 'zrh-3', 'zrh-2']),
      version(3, ['zrh-1', 'zrh-4', 'zrh-3', 'zrh-2'], Date.parse('2029-01-01T00:00:00Z')),
    ]);
    expect([...found].map(([region, sites]) => [region, [...sites]])).toEqual([
      ['zurich', ['zrh-1', 'zrh-2', 'zrh-3']],
      ['moscow', ['mow-1']],
    ]);
  });

  it('are none before the first version', () => {
    expect(sitesByRegion([])).toEqual(new Map());
  });
});

describe('the policy book', () => {
  it("returns a version's sites in its order, and undefined for unknown regions and versions", async () => {
    const book = await PolicyBook.open(policyLog(version(1, ['zrh-2', 'zrh-1'])).read);
    expect([
      book.sitesOf('digest-1', 'zurich'),
      book.sitesOf('digest-1', 'geneva'),
      book.sitesOf('digest-2', 'zurich'),
    ]).toEqual([['zrh-2', 'zrh-1'], undefined, undefined]);
  });

  it.each([
    ['as the version says', {}, true],
    ['by another rule', { rule: 'rule-moscow' }, false],
    ['in another region', { region: 'moscow' }, false],
    ['for another country', { country: 'RU' }, false],
    ['for a code that is none', { country: 'ZZ' }, false],
  ])('a decision %s: %j', async (_, over, holds) => {
    const book = await PolicyBook.open(policyLog(version(1)).read);
    expect(
      book.ruleHolds('digest-1', {
        rule: 'rule-zurich',
        region: 'zurich',
        country: 'CH',
        at: AT,
        ...over,
      }),
    ).toBe(holds);
    expect(
      book.ruleHolds('digest-2', {
        rule: 'rule-zurich',
        region: 'zurich',
        country: 'CH',
        at: AT,
        ...over,
      }),
    ).toBe(false);
  });

  it('learns a version that was published since, with its sites', async () => {
    const log = policyLog(version(1));
    const book = await PolicyBook.open(log.read);
    log.published.push(version(2, ['zrh-1', 'zrh-3', 'zrh-2']));
    await book.learn('digest-2');
    expect([book.sitesOf('digest-2', 'zurich'), [...(book.regions.get('zurich') ?? [])]]).toEqual([
      ['zrh-1', 'zrh-3', 'zrh-2'],
      ['zrh-1', 'zrh-2', 'zrh-3'],
    ]);
  });

  it('learns a site that a version named since, and does not read for one that it knows', async () => {
    const log = policyLog(version(1));
    const { regions, learnSite } = (await PolicyBook.open(log.read)).questions();
    log.published.push(version(2, ['zrh-1', 'zrh-3', 'zrh-2']));
    await learnSite?.('zrh-2');
    expect([log.reads, regions().get('zurich')?.has('zrh-3')]).toEqual([1, false]);
    for (let round = 0; round < 3; round += 1) await learnSite?.('zrh-3');
    await learnSite?.('zrh-9');
    expect([log.reads, regions().get('zurich')?.has('zrh-3')]).toEqual([3, true]);
  });

  it('does not know an invalid version', async () => {
    const book = await PolicyBook.open(policyLog(version(1), version(2, ['zrh-2', 'zrh-1'])).read);
    expect([
      book.sitesOf('digest-2', 'zurich'),
      book.ruleHolds('digest-2', { rule: 'rule-zurich', region: 'zurich', country: 'CH', at: AT }),
    ]).toEqual([undefined, false]);
  });

  it('resolves two concurrent calls of learn only after the log was read', async () => {
    const log = policyLog(version(1));
    const book = await PolicyBook.open(async () => {
      const read = await log.read();
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
      return read;
    });
    log.published.push(version(2, ['zrh-1', 'zrh-2', 'zrh-3']));
    const sites = async (): Promise<readonly string[] | undefined> => {
      await book.learn('digest-2');
      return book.sitesOf('digest-2', 'zurich');
    };
    expect(await Promise.all([sites(), sites()])).toEqual([
      ['zrh-1', 'zrh-2', 'zrh-3'],
      ['zrh-1', 'zrh-2', 'zrh-3'],
    ]);
    expect(log.reads).toBe(2);
  });

  it('forgets nothing if an older read ends after a newer one', async () => {
    const published = [[version(1)], [version(1)], [version(1), version(2)]];
    const slow = Promise.withResolvers<undefined>();
    let reads = 0;
    const book = await PolicyBook.open(async () => {
      const read = published[reads] ?? [];
      reads += 1;
      if (reads === 2) await slow.promise;
      return read;
    });
    const both = Promise.all([book.refresh(), book.refresh()]);
    slow.resolve(undefined);
    await both;
    expect(book.sitesOf('digest-2', 'zurich')).toEqual(['zrh-1', 'zrh-2']);
  });

  it('reads the log once for each unpublished digest, up to a limit', async () => {
    const log = policyLog(version(1));
    const book = await PolicyBook.open(log.read);
    for (let round = 0; round < 3; round += 1) await book.learn('made up');
    await book.learn('digest-1');
    expect(log.reads).toBe(2);
    for (let made = 0; made < 5_000; made += 1) await book.learn(`made up ${made}`);
    expect(log.reads).toBe(1_001);
  });
});
