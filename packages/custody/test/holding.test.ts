import {
  CUSTODY_FINDING_CODES,
  evolveHolding,
  holding,
  holdingOf,
  owedSites,
  unerasedSites,
} from '@residency/custody';
import type {
  Holding,
  PlacedCopy,
  SampleCopied,
  SampleErased,
  SampleEvent,
  SampleLost,
  StoredSample,
} from '@residency/custody';
import {
  array,
  assert,
  constantFrom,
  oneof,
  property,
  record,
  shuffledSubarray,
  subarray,
} from 'fast-check';
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

const erased = (sites: readonly string[], change: Partial<SampleErased> = {}): SampleErased => ({
  type: 'erased',
  of: STORED.position,
  submission: STORED.submission,
  region: STORED.region,
  order: 'order-1',
  sites,
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

describe('the holding of an erased sample', () => {
  const TWO: StoredSample = { ...STORED, placements: [copy('zrh-1'), copy('zrh-2')] };

  it('has no copy where a site has a tombstone, and owes none', () => {
    const { holding: now, findings } = holding(TWO, [erased(['zrh-1', 'zrh-2'])]);
    expect(findings).toEqual([]);
    expect(now).toEqual({
      ...holdingOf(TWO),
      copies: [],
      erased: { order: 'order-1', sites: ['zrh-1', 'zrh-2'] },
    });
    expect(owedSites(now, SITES)).toEqual([]);
  });

  it('keeps the copy of a site that was not erased yet, until an event names it', () => {
    const one = evolveHolding(holdingOf(TWO), erased(['zrh-1'])).holding;
    expect(one.copies).toEqual([copy('zrh-2')]);
    expect(unerasedSites(one, SITES)).toEqual(['zrh-2', 'zrh-3']);
    expect(owedSites(one, SITES)).toEqual([]);
    const both = evolveHolding(one, erased(['zrh-2'], { order: 'order-2' })).holding;
    expect(both).toMatchObject({
      copies: [],
      erased: { order: 'order-1', sites: ['zrh-1', 'zrh-2'] },
    });
    expect(unerasedSites(both, SITES)).toEqual(['zrh-3']);
  });

  it('has no other ciphertext either where a site has a tombstone', () => {
    const unequal = { ...STORED, placements: [copy('zrh-1'), copy('zrh-2', 'c2')] } as const;
    const one = evolveHolding(holdingOf(unequal), erased(['zrh-1'])).holding;
    expect(one.unequal).toEqual([copy('zrh-2', 'c2')]);
    expect(evolveHolding(one, erased(['zrh-2'])).holding.unequal).toEqual([]);
  });

  it('names each site once, however often events name it', () => {
    const events = [erased(['zrh-2', 'zrh-2']), erased(['zrh-2', 'zrh-1'])];
    expect(holding(TWO, events).holding.erased?.sites).toEqual(['zrh-2', 'zrh-1']);
  });

  it.each([
    ['a copy to a site that was not erased yet', copied(copy('zrh-3'))],
    ['a copy to a site with a tombstone', copied(copy('zrh-1'))],
    ['a repair', copied(copy('zrh-1'), { isRepair: true })],
  ])('does not follow %s', (_, event) => {
    const now = evolveHolding(holdingOf(TWO), erased(['zrh-1'])).holding;
    expect(evolveHolding(now, event)).toEqual({
      holding: now,
      finding: { code: 'COPIED_AFTER_ERASURE', position: STORED.position, site: event.copy.site },
    });
  });

  it.each<[string, Partial<SampleErased>]>([
    ['of another record', { of: 'log-1/threat.samples/0/8' }],
    ['of another submission', { submission: 't' }],
    ['of another region', { region: 'moscow' }],
  ])('does not follow an erasure %s, and the finding names its sites', (_, change) => {
    expect(evolveHolding(holdingOf(TWO), erased(['zrh-1', 'zrh-2'], change))).toEqual({
      holding: holdingOf(TWO),
      finding: {
        code: 'COPY_OF_ANOTHER',
        position: 'of' in change ? change.of : STORED.position,
        site: 'zrh-1 zrh-2',
      },
    });
  });

  it('is not asked for of a sample that was not erased', () => {
    expect(unerasedSites(holdingOf(TWO), SITES)).toEqual([]);
  });
});

const lost = (change: Partial<SampleLost> = {}): SampleLost => ({
  type: 'lost',
  of: STORED.position,
  submission: STORED.submission,
  region: STORED.region,
  order: 'order-3',
  sites: ['zrh-1', 'zrh-2'],
  ...change,
});

describe('the holding of a lost sample', () => {
  const unequal = { ...STORED, placements: [copy('zrh-1'), copy('zrh-2', 'c2')] } as const;
  const now = holding(unequal, [lost()]).holding;

  it('has no copy of any ciphertext, and owes none', () => {
    expect(now).toEqual({
      ...holdingOf(unequal),
      copies: [],
      unequal: [],
      lost: { order: 'order-3' },
    });
    expect(owedSites(now, SITES)).toEqual([]);
  });

  it.each<[string, SampleEvent, string]>([
    ['a copy', copied(copy('zrh-3')), 'COPIED_AFTER_LOSS'],
    ['a repair', copied(copy('zrh-1'), { isRepair: true }), 'COPIED_AFTER_LOSS'],
    ['a second loss', lost({ order: 'order-4' }), 'LOST_TWICE'],
    ['a loss of another submission', lost({ submission: 't' }), 'COPY_OF_ANOTHER'],
  ])('does not follow %s', (_, event, code) => {
    expect(evolveHolding(now, event)).toMatchObject({ holding: now, finding: { code } });
  });

  it('may be erased, and an erased sample may not be lost', () => {
    const gone = evolveHolding(now, erased(['zrh-1']));
    expect(gone).toEqual({
      holding: { ...now, erased: { order: 'order-1', sites: ['zrh-1'] } },
    });
    expect(unerasedSites(gone.holding, ['zrh-1', 'zrh-2'])).toEqual(['zrh-2']);
    const first = evolveHolding(holdingOf(STORED), erased(['zrh-1'])).holding;
    expect(evolveHolding(first, lost())).toMatchObject({
      holding: first,
      finding: { code: 'LOST_AFTER_ERASURE', site: 'zrh-1 zrh-2' },
    });
  });
});

const anyCopy = record({
  site: constantFrom(...SITES, 'mow-1'),
  sealedSha256: constantFrom('c1', 'c2'),
  sealedBytes: constantFrom(700, 701),
});
const anyErasure = record({
  sites: subarray([...SITES, 'mow-1'], { minLength: 1 }),
  order: constantFrom('order-1', 'order-2'),
  region: constantFrom('zurich', 'zurich', 'moscow'),
}).map(({ sites, order, region }) => erased(sites, { order, region }));
const anyCopied = oneof(
  anyCopy.map((one) => copied(one)),
  record({ one: anyCopy, region: constantFrom('zurich', 'moscow') }).map(({ one, region }) =>
    copied(one, { region }),
  ),
);
const anyLoss = record({
  order: constantFrom('order-1', 'order-2'),
  region: constantFrom('zurich', 'zurich', 'moscow'),
}).map((change) => lost(change));
const anyEvent = oneof(
  { weight: 3, arbitrary: anyCopied },
  { weight: 1, arbitrary: anyErasure },
  { weight: 1, arbitrary: anyLoss },
);
const anyStored = array(anyCopy, { minLength: 1, maxLength: 3 }).map(
  ([first = copy('zrh-1'), ...others]): StoredSample => ({
    ...STORED,
    placements: [first, ...others],
  }),
);

it('whatever the copied events say, it names at least one copy, all of one ciphertext, each site once more than before at most', () => {
  assert(
    property(anyStored, array(anyCopied, { maxLength: 12 }), (stored, events) => {
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

it('owes exactly the sites that it does not have, and nothing of an erased or lost sample', () => {
  assert(
    property(
      anyStored,
      array(anyEvent, { maxLength: 12 }),
      subarray(SITES),
      (stored, events, sites) => {
        const { holding: now } = holding(stored, events);
        const has = now.copies.map(({ site }) => site);
        expect(owedSites(now, sites)).toEqual(
          now.erased === undefined && now.lost === undefined
            ? sites.filter((site) => !has.includes(site))
            : [],
        );
        expect(unerasedSites(now, sites)).toEqual(
          now.erased === undefined
            ? []
            : sites.filter((site) => now.erased?.sites.includes(site) === false),
        );
      },
    ),
  );
});

const isErasure = (event: SampleEvent): event is SampleErased => event.type === 'erased';
const isFollowedErasure = (event: SampleEvent): boolean =>
  isErasure(event) && event.region === STORED.region;

/** All sites that the events erase, and the order of the first one. */
function erasureOf(events: readonly SampleEvent[]): {
  readonly order: string | undefined;
  readonly sites: readonly string[];
} {
  const followed = events.filter(isErasure).filter(isFollowedErasure);
  return { order: followed[0]?.order, sites: followed.flatMap(({ sites }) => sites) };
}

it('is erased where the events say it and nowhere else, by the first order, and has no copy there', () => {
  assert(
    property(anyStored, array(anyEvent, { maxLength: 12 }), (stored, events) => {
      const { holding: now } = holding(stored, events);
      const { order, sites } = erasureOf(events);
      expect([now.erased?.order, new Set(now.erased?.sites)]).toEqual([order, new Set(sites)]);
      expect(new Set(now.erased?.sites).size).toBe(now.erased?.sites.length ?? 0);
      for (const { site } of [...now.copies, ...now.unequal]) expect(sites).not.toContain(site);
      // What no event erased stays.
      const before = holding(stored, events.slice(0, events.findIndex(isFollowedErasure)));
      if (now.erased !== undefined && now.lost === undefined)
        expect(now.copies).toEqual(
          before.holding.copies.filter(({ site }) => !sites.includes(site)),
        );
    }),
  );
});

it('no copied event after an erasure changes anything, and each is a finding', () => {
  assert(
    property(
      anyStored,
      array(anyEvent, { maxLength: 6 }),
      anyErasure.filter(isFollowedErasure),
      anyCopied,
      (stored, events, erasure, event) => {
        const { holding: now } = holding(stored, [...events, erasure]);
        const { holding: next, finding } = evolveHolding(now, event);
        expect(next).toEqual(now);
        expect(['COPY_OF_ANOTHER', 'COPY_DIFFERS', 'COPIED_AFTER_ERASURE']).toContain(
          finding?.code,
        );
      },
    ),
  );
});

it('is lost by the first loss that follows, has no copy from then on, and is lost once', () => {
  assert(
    property(anyStored, array(anyEvent, { maxLength: 12 }), (stored, events) => {
      const { holding: now, findings } = holding(stored, events);
      const before = (index: number): boolean => events.slice(0, index).some(isFollowedErasure);
      const losses = events.filter(
        (event, index): event is SampleLost =>
          event.type === 'lost' && event.region === STORED.region && !before(index),
      );
      expect(now.lost?.order).toBe(losses[0]?.order);
      if (now.lost !== undefined) expect([now.copies, now.unequal]).toEqual([[], []]);
      expect(findings.filter(({ code }) => code === 'LOST_TWICE').length).toBe(
        events.filter(
          (event, index) =>
            event.type === 'lost' &&
            event.region === STORED.region &&
            !before(index) &&
            event !== losses[0],
        ).length,
      );
    }),
  );
});

it('comes to the same whatever the order of its erasures, but for the order that is named', () => {
  const settled = ({ erased: gone, ...rest }: Holding): unknown => [
    rest,
    gone?.sites.toSorted((a, b) => a.localeCompare(b)),
  ];
  const permuted = array(anyErasure, { maxLength: 6 }).chain((all) =>
    shuffledSubarray(all, { minLength: all.length }).map((other) => [all, other] as const),
  );
  assert(
    property(
      anyStored,
      array(anyCopied, { maxLength: 6 }),
      permuted,
      (stored, copies, [all, other]) => {
        const one = holding(stored, [...copies, ...all]);
        const two = holding(stored, [...copies, ...other]);
        expect(settled(two.holding)).toEqual(settled(one.holding));
        expect(two.findings.length).toBe(one.findings.length);
      },
    ),
  );
});

it('has seven codes of findings', () => {
  expect([...CUSTODY_FINDING_CODES]).toEqual([
    'COPY_OF_ANOTHER',
    'COPY_DIFFERS',
    'COPIED_TWICE',
    'COPIED_AFTER_ERASURE',
    'COPIED_AFTER_LOSS',
    'LOST_AFTER_ERASURE',
    'LOST_TWICE',
  ]);
});
