import { findClaims } from '@residency/custodianship';
import { MemoryRegisterStore } from '@residency/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRegister, encodeRegister } from '../src/register-format.ts';
import type { Register } from '../src/register-format.ts';
import { ClaimsWorld, SITES } from './claims-world.ts';
import type { Appended } from './claims-world.ts';

const partition = fc.nat({ max: 1 });
const region = fc.constantFrom('zurich', 'zurich', 'zurich', 'moscow');
const appended: fc.Arbitrary<Appended> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('stored' as const),
      partition,
      sites: fc.subarray([...SITES], { minLength: 1 }),
      unequal: fc.boolean(),
      region,
      gap: fc.constantFrom(0, 0, 0, 1, 1_100, 5_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('duplicate' as const, 'conflict' as const),
      partition,
      of: fc.record({ partition, offset: fc.nat({ max: 12 }) }),
      region,
      log: fc.constantFrom('log-1', 'log-1', 'log-1', 'log-0'),
    }),
  },
  fc.record({
    kind: fc.constantFrom('parked' as const, 'no event' as const, 'skipped' as const),
    partition,
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('copied' as const),
      nth: fc.nat({ max: 9 }),
      site: fc.constantFrom(...SITES),
      as: fc.constantFrom(
        'right' as const,
        'right' as const,
        'another ciphertext' as const,
        'another region' as const,
        'a repeated number' as const,
      ),
      byOrder: fc.boolean(),
    }),
  },
);

const serving = fc.constantFrom<readonly [string, ...string[]]>(
  ['zrh-2', 'zrh-3'],
  ['zrh-3', 'zrh-2'],
  ['zrh-2'],
  ['zrh-3'],
);

interface Found {
  readonly claims: readonly { readonly of: string }[];
  readonly unheld: number;
}

const sorted = ({ claims, unheld }: Found) => ({
  unheld,
  claims: claims.toSorted((a, b) => (a.of < b.of ? -1 : 1)),
});

describe('claims that begin at a register', () => {
  it('are those of both whole logs, and those of the rules, wherever it was saved', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(appended, { maxLength: 40 }),
        fc.nat(),
        serving,
        fc.subarray(['zrh-2', 'zrh-3']),
        fc.array(fc.nat({ max: 9 }), { minLength: 8, maxLength: 8 }),
        async (all, at, sites, out, lacking) => {
          const w = new ClaimsWorld();
          const cut = at % (all.length + 1);
          for (const one of all.slice(0, cut)) w.append(one);
          const store = await w.register(out);
          for (const one of all.slice(cut)) w.append(one);
          // One in ten is not in its list.
          const has = (site: string, name: string): boolean =>
            lacking[(name.length + Number(name.at(-1)) + Number(site.at(-1))) % 8] !== 0;
          const whole = await w.find(sites, has);
          const resumed = await w.find(sites, has, store);
          const expected = sorted(w.expected(sites, has));
          expect(sorted(whole)).toEqual(expected);
          expect(sorted(resumed)).toEqual(expected);
          const nothingRead = store.bytes === undefined;
          expect(resumed.passedOver).toEqual(
            out.includes(sites[0]) && !nothingRead ? ['REGISTER_WITHOUT_SITE'] : [],
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are found without reading what the register was made from', async () => {
    const { w, store } = await saved();
    for (let n = 0; n < 5; n += 1) w.append(stored(['zrh-1', 'zrh-2']));
    const all = await w.find(['zrh-2'], () => true);
    const { auditRecords, ...resumed } = await w.find(['zrh-2'], () => true, store);
    expect([all.auditRecords, auditRecords]).toEqual([41, 6]);
    expect(sorted(resumed)).toEqual(sorted(all));
  });

  it('jump to records that lie far apart, and read near ones in one go', async () => {
    const w = new ClaimsWorld();
    for (let n = 0; n < 30; n += 1) w.append(stored(['zrh-1', 'zrh-2'], n === 20 ? 2_001 : 0));
    const store = await w.register([]);
    const lacks = (site: string, name: string): boolean =>
      !['0/3', '0/6', '0/25'].includes(name) || site === 'zrh-1';
    const { claims, auditRecords } = await w.find(['zrh-2'], lacks, store);
    expect(claims.map(({ of }) => of.slice(-4))).toEqual(['/0/3', '/0/6', '0/25']);
    // From 3 to 6, and 25.
    expect(auditRecords).toBe(5);
  });

  it('come from the whole audit log if the register was made without the arbiter to come', async () => {
    const w = new ClaimsWorld();
    w.append(stored(['zrh-1']));
    const store = await w.register(['zrh-2']);
    const { claims, passedOver } = await w.find(['zrh-2'], () => true, store);
    expect([claims.length, passedOver]).toEqual([1, ['REGISTER_WITHOUT_SITE']]);
  });

  it('begin at its end of the custody log also if it was made without the arbiter to come', async () => {
    const w = new ClaimsWorld();
    w.append(stored(['zrh-1']));
    w.append({ kind: 'copied', nth: 0, site: 'zrh-2', as: 'right', byOrder: false });
    const store = await w.register(['zrh-2']);
    const [from, custody]: [(bigint | undefined)[], ReturnType<ClaimsWorld['custody']>] = [
      [],
      w.custody(),
    ];
    const found = await w.find(['zrh-2'], () => true, store, {
      ...custody,
      read: (at) => {
        from.push(at);
        return custody.read(at);
      },
    });
    expect([found.claims.length, found.passedOver, from]).toEqual([
      0,
      ['REGISTER_WITHOUT_SITE'],
      [0n],
    ]);
  });

  it('come from the logs alone if there is no register', async () => {
    const { w } = await saved();
    const { claims, passedOver } = await w.find(['zrh-2'], () => true, new MemoryRegisterStore());
    expect([claims.length, passedOver]).toEqual([1, []]);
  });

  it.each<[string, (register: Register) => Register]>([
    [
      'another submission at an offset that the site lacks',
      (r) => ({
        ...r,
        stored: r.stored.map((pages) => ({ ...pages, words: pages.words.map(flipped) })),
      }),
    ],
    [
      'a debt at an offset without a stored sample',
      (r) => ({
        ...r,
        debts: {
          ...r.debts,
          due: [{ site: 'zrh-2', partition: '0', words: Uint32Array.of(0, 1 << 5) }],
        },
      }),
    ],
    ['another last record', (r) => ({ ...r, audit: [{ partition: 0, offset: 1n, digest: '' }] })],
  ])('come from the logs alone if the register has %s', async (_, change) => {
    const { w, store } = await saved();
    const register = decodeRegister(store.bytes ?? Buffer.alloc(0));
    if (register === undefined) throw new Error('Expected a register.');
    store.bytes = Buffer.concat([...encodeRegister(change(register))]);
    const whole = await w.find(['zrh-2'], () => true);
    const found = await w.find(['zrh-2'], () => true, store);
    expect([sorted(found), found.passedOver]).toEqual([sorted(whole), ['REGISTER_AHEAD_OF_LOG']]);
  });
});

it('a record that was in the audit log and is not there any more ends the search', async () => {
  const { w } = await saved();
  let readings = 0;
  const feed = w.feed();
  const found = findClaims({
    sites: ['zrh-2'],
    custody: w.custody(),
    listed: Promise.resolve(new Map()),
    audit: {
      partitions: () => feed.partitions(),
      read: async function* once(partition, from) {
        readings += 1;
        if (readings <= 2) yield* feed.read(partition, from);
      },
    },
  });
  await expect(found).rejects.toMatchObject({ code: 'AUDIT_LOG_CHANGED', remedy: 'retry' });
});

function stored(sites: readonly string[], gap = 0): Appended {
  return { kind: 'stored', partition: 0, sites, unequal: false, region: 'zurich', gap };
}

/** 35 stored samples, of which zrh-2 lacks the 18th. */
async function saved(): Promise<{
  readonly w: ClaimsWorld;
  readonly store: MemoryRegisterStore;
}> {
  const w = new ClaimsWorld();
  for (let n = 0; n < 35; n += 1) w.append(stored(n === 17 ? ['zrh-1'] : ['zrh-1', 'zrh-2']));
  return { w, store: await w.register([]) };
}

function flipped(words: Uint32Array): Uint32Array {
  return words.map((word) => (word === 0 ? 0 : word ^ 1));
}
