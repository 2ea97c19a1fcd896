import { evolveHolding, holding, holdingOf, owedSites } from '@residency/custody';
import type { PlacedCopy, SampleCopied, StoredSample } from '@residency/custody';
import { array, assert, constantFrom, oneof, property, record, subarray } from 'fast-check';
import { describe, expect, it } from 'vitest';

const SITES = ['zrh-1', 'zrh-2', 'zrh-3'];
const copy = (site: string, sealedSha256 = 'c1'): PlacedCopy => ({
  site,
  sealedSha256,
  sealedBytes: 700,
});
const STORED: StoredSample = {
  position: 'log-1/threat.samples/0/7',
  submission: 's',
  region: 'zurich',
  placements: [copy('zrh-1')],
};
const copied = (placed: PlacedCopy, change: Partial<SampleCopied> = {}): SampleCopied => ({
  type: 'copied',
  of: STORED.position,
  submission: STORED.submission,
  region: STORED.region,
  copy: placed,
  ...change,
});

describe('a holding', () => {
  it('is what the stored event says, and owes the other sites', () => {
    const now = holdingOf(STORED);
    expect(now).toMatchObject({ sealedSha256: 'c1', copies: [copy('zrh-1')], unequal: [] });
    expect(owedSites(now, SITES)).toEqual(['zrh-2', 'zrh-3']);
  });

  it('has the ciphertext of the first placement; a site with another one owes a copy', () => {
    const now = holdingOf({ ...STORED, placements: [copy('zrh-1'), copy('zrh-2', 'c2')] });
    expect(now).toMatchObject({ copies: [copy('zrh-1')], unequal: [copy('zrh-2', 'c2')] });
    expect(owedSites(now, ['zrh-1', 'zrh-2'])).toEqual(['zrh-2']);
  });

  it('gets a copy by a copied event, which also ends an unequal one', () => {
    const unequal = { ...STORED, placements: [copy('zrh-1'), copy('zrh-2', 'c2')] } as const;
    const { holding: now, findings } = holding(unequal, [copied(copy('zrh-2'))]);
    expect(findings).toEqual([]);
    expect(now).toMatchObject({ copies: [copy('zrh-1'), copy('zrh-2')], unequal: [] });
  });

  it.each([
    ['of another record', copied(copy('zrh-2'), { of: 'log-1/threat.samples/0/8' })],
    ['of another submission', copied(copy('zrh-2'), { submission: 't' })],
    ['of another region', copied(copy('zrh-2'), { region: 'moscow' })],
  ])('does not follow an event %s', (_, event) => {
    const { holding: now, finding } = evolveHolding(holdingOf(STORED), event);
    expect(now).toEqual(holdingOf(STORED));
    expect(finding?.code).toBe('COPY_OF_ANOTHER');
  });

  it('does not follow a copy of other bytes, or a second one', () => {
    const events = [
      copied(copy('zrh-2', 'c2')),
      copied({ ...copy('zrh-2'), sealedBytes: 701 }),
      copied(copy('zrh-2')),
      copied(copy('zrh-2')),
      copied(copy('zrh-1')),
    ];
    const { holding: now, findings } = holding(STORED, events);
    expect(now.copies.map(({ site }) => site)).toEqual(['zrh-1', 'zrh-2']);
    expect(findings.map(({ code }) => code)).toEqual([
      'COPY_DIFFERS',
      'COPY_DIFFERS',
      'COPIED_TWICE',
      'COPIED_TWICE',
    ]);
  });
});

const anyCopy = record({
  site: constantFrom(...SITES, 'mow-1'),
  sealedSha256: constantFrom('c1', 'c2'),
  sealedBytes: constantFrom(700, 701),
});
const anyEvent = oneof(
  anyCopy.map((one) => copied(one)),
  record({ one: anyCopy, region: constantFrom('zurich', 'moscow') }).map(({ one, region }) =>
    copied(one, { region }),
  ),
);
const anyStored = array(anyCopy, { minLength: 1, maxLength: 3 }).map(
  ([first = copy('zrh-1'), ...others]): StoredSample => ({
    ...STORED,
    placements: [first, ...others],
  }),
);

it('whatever the events say, it names at least one copy, all of one ciphertext, each site once more than before at most', () => {
  assert(
    property(anyStored, array(anyEvent, { maxLength: 12 }), (stored, events) => {
      const { holding: now, findings } = holding(stored, events);
      expect(now.copies.length).toBeGreaterThan(0);
      expect(new Set(now.copies.map(({ sealedSha256 }) => sealedSha256)).size).toBe(1);
      const before = holdingOf(stored);
      const gained = now.copies.slice(before.copies.length).map(({ site }) => site);
      expect(new Set(gained).size).toBe(gained.length);
      expect(gained.length + findings.length).toBe(events.length);
    }),
  );
});

it('an event that cannot follow changes nothing, so it may be left out', () => {
  assert(
    property(anyStored, array(anyEvent, { maxLength: 12 }), (stored, events) => {
      let now = holdingOf(stored);
      const good = events.filter((event) => {
        const next = evolveHolding(now, event);
        now = next.holding;
        return next.finding === undefined;
      });
      expect(holding(stored, good)).toEqual({
        holding: holding(stored, events).holding,
        findings: [],
      });
    }),
  );
});

it('owes exactly the sites that it does not have', () => {
  assert(
    property(
      anyStored,
      array(anyEvent, { maxLength: 12 }),
      subarray(SITES),
      (stored, events, sites) => {
        const { holding: now } = holding(stored, events);
        const has = now.copies.map(({ site }) => site);
        expect(owedSites(now, sites)).toEqual(sites.filter((site) => !has.includes(site)));
      },
    ),
  );
});
