import { codeOf } from '@residency/coded-error';
import {
  ACCESS_APPROVED,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  SAMPLE_ACCESSED,
  custodyEventIn,
} from '@residency/contracts';
import type { CustodyEvent } from '@residency/contracts';
import type { Vault } from '@residency/vault';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  VAULT_NOW as NOW,
  VAULT_SAMPLE as SAMPLE,
  VaultWorld,
  accessIdAt,
  asker,
  accessOrder as order,
} from '@residency/testkit';
import type { VaultFault as Fault } from '@residency/testkit';

const IDS = [0, 1, 2].map((nth) => accessIdAt(NOW, nth));
const PRINCIPALS = ['ana', 'bob', 'eve', 'mallory'] as const;

const principal = fc.constantFrom(...PRINCIPALS);
const access = fc.constantFrom(...IDS);
/** Which of the vaults that were opened so far acts: 0 is the newest, others were replaced. */
const age = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(2));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      principal,
      access,
      age,
      purpose: fc.constantFrom('analysis', 'research', 'other'),
      reference: fc.constantFrom('ticket 1', 'ticket 2'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('approve' as const), principal, access, age }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('release' as const), principal, access, age }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take over' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(400_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('break' as const),
      fault: fc.constantFrom<Fault[]>('fail', 'fail-but-persist'),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Coded errors alone are expected. */
async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

async function take(world: VaultWorld, vaults: Vault[], one: Step): Promise<void> {
  switch (one.do) {
    case 'publish':
      world.published = world.log.length;
      return;
    case 'withdraw':
      world.consent = [];
      return;
    case 'wait':
      world.now += one.ms;
      return;
    case 'break':
      world.faults = [one.fault];
      return;
    case 'take over':
      vaults.unshift(await world.vault());
      return;
    case 'request': {
      const { purpose, reference } = one;
      await attempt(() =>
        vaultOf(vaults, one).request(
          asker(one.principal),
          order({ access: one.access, purpose, reference, form: 'cart' }),
        ),
      );
      return;
    }
    case 'approve':
      await attempt(() => vaultOf(vaults, one).approve(asker(one.principal), one.access));
      return;
    case 'release': {
      const stop = new AbortController();
      stop.abort();
      const given = await attempt(() =>
        vaultOf(vaults, one).release(asker(one.principal), one.access, stop.signal),
      );
      if (given === undefined) return;
      expect(given.bytes).toEqual(SAMPLE);
      requireLawful(world, one);
      return;
    }
    default:
      return one satisfies never;
  }
}

function vaultOf(vaults: readonly Vault[], { age: back }: { readonly age: number }): Vault {
  const vault = vaults[Math.min(back, vaults.length - 1)];
  if (vault === undefined) throw new TypeError('none');
  return vault;
}

/** What was just given out had its event, published, by the active custodian, in its lifetime. */
function requireLawful(
  world: VaultWorld,
  { principal: who, access: id }: { readonly principal: string; readonly access: string },
): void {
  expect(world.confirmedOwner).toBe(world.owner);
  const shown = world.log.slice(0, world.published).flatMap((value) => custodyEventIn(value) ?? []);
  const accessed = shown.filter(isAccessed).filter(({ data }) => data.access === id);
  expect(accessed).toHaveLength(1);
  const [{ data }] = accessed as [AccessedEvent];
  expect(data.principal).toBe(who);
  expect(world.now).toBeLessThan(Date.parse(data.until));
  expect(world.consent).not.toEqual([]);
  if (data.purpose === 'analysis') return;
  const approved = shown.flatMap((event) =>
    event.type === ACCESS_APPROVED && event.data.access === id ? [event.data.principal] : [],
  );
  expect(new Set(approved).size).toBeGreaterThanOrEqual(2);
  expect(approved).not.toContain(who);
  expect(approved).not.toContain('mallory');
}

type AccessedEvent = Extract<CustodyEvent, { readonly type: typeof SAMPLE_ACCESSED }>;

function isAccessed(event: CustodyEvent): event is AccessedEvent {
  return event.type === SAMPLE_ACCESSED;
}

/** How often something happened that may happen once. */
function repeated(events: readonly CustodyEvent[]): readonly string[] {
  const seen = new Set<string>();
  return events.flatMap((event) => {
    if (!('access' in event.data)) return [];
    const { access: id, principal: who } = event.data;
    const name =
      event.type === ACCESS_REFUSED
        ? `refused ${id} ${who} ${event.data.code}`
        : event.type === ACCESS_APPROVED
          ? `approved ${id} ${who}`
          : `${event.type === ACCESS_REQUESTED ? 'requested' : 'accessed'} ${id}`;
    if (seen.has(name)) return [name];
    seen.add(name);
    return [];
  });
}

test('whatever is asked, approved, repeated, broken and taken over: nothing leaves unlawfully, and nothing is recorded twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = await VaultWorld.open();
      world.publishes = false;
      const vaults = [await world.vault()];
      for (const one of steps) await take(world, vaults, one);
      expect(repeated(world.events)).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test('the histories that are searched do give samples out', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
      const world = await VaultWorld.open();
      world.publishes = false;
      const vaults = [await world.vault()];
      for (const one of steps) await take(world, vaults, one);
      if (world.confirmedOwner >= 0) seen.add('released');
      for (const { type } of world.events) seen.add(type);
    }),
    { numRuns: 200 },
  );
  expect([...seen].sort()).toEqual(
    [ACCESS_APPROVED, ACCESS_REFUSED, ACCESS_REQUESTED, SAMPLE_ACCESSED, 'released'].sort(),
  );
});
