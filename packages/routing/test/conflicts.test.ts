import { objectKey, sha256, submissionId } from '@residency/contracts';
import type { BatchResult } from '@residency/routing';
import {
  MemoryObjectStore,
  RoutingWorld,
  SHIPPED_POLICY,
  submissionEvent,
} from '@residency/testkit';
import { describe, expect, it } from 'vitest';

const { document: policy } = SHIPPED_POLICY;
const NOW = Date.UTC(2026, 0, 1);
const KEY = objectKey(submissionId(submissionEvent({ id: 'x' })));
const SITES = ['zrh-1', 'zrh-2'] as const;

/** Record n is in partition n. 0 to 2 have three samples; 3 to 5 the same three once more. */
function world(): RoutingWorld {
  const w = new RoutingWorld().policy(policy).granted(NOW - 1_000);
  for (let round = 0; round < 2; round += 1)
    for (const sample of ['first', 'second', 'third']) w.submit(NOW, { id: 'x', sample });
  return w;
}
const position = (index: number): string => `log-1/threat.samples/${index}/${index}`;

async function attempt(w: RoutingWorld, index: number): Promise<BatchResult> {
  return await w.route(
    {},
    { partition: index, records: w.records.slice(index, index + 1), previous: null },
  );
}
const settled = async (w: RoutingWorld, index: number): Promise<unknown> =>
  told(w.settle(await attempt(w, index)));

function told({ settlements: [one], blocked }: BatchResult): unknown {
  if (one === undefined) return `waits ${blocked?.error.code}`;
  const { outcome, data } = one.event;
  if (outcome === 'duplicate') return `duplicate of ${data.of}`;
  return outcome === 'quarantined' ? { of: data.of, owner: data.owner } : outcome;
}
const conflictWith = (index: number, sample: string) => ({
  of: position(index),
  owner: { sampleSha256: sha256(Buffer.from(sample)), country: 'CH' },
});
const clear = (w: RoutingWorld, ...sites: readonly string[]): void => {
  for (const site of sites) w.memorySite(site).objects.clear();
};

/** What a router that froze before still writes to the site. */
async function late(w: RoutingWorld, index: number, site: string): Promise<void> {
  const other = world();
  await attempt(other, index);
  const object = other.memorySite('zrh-1').objects.get(KEY);
  if (object !== undefined) w.memorySite(site).objects.set(KEY, object);
}

describe('a conflict', () => {
  it('names the owner, and what that one has, also if it is not settled yet', async () => {
    const w = world();
    const inFlight = await attempt(w, 0);
    expect(await settled(w, 1)).toEqual(conflictWith(0, 'first'));
    w.settle(inFlight);
    expect(await settled(w, 2)).toEqual(conflictWith(0, 'first'));
  });

  it('names no owner whose sample is not in every site that answers: it waits', async () => {
    const w = world();
    const store = w.memorySite('zrh-2');
    w.sites.set('zrh-2', new MemoryObjectStore('zrh-2'));
    await attempt(w, 0);
    w.sites.set('zrh-2', store);
    expect(await settled(w, 1)).toBe('waits OWNER_UNSETTLED');
    await attempt(w, 0);
    expect(await settled(w, 1)).toEqual(conflictWith(0, 'first'));
  });

  it('does not name an owner that a later site contradicts', async () => {
    const w = world();
    await attempt(w, 0);
    clear(w, 'zrh-2');
    await late(w, 2, 'zrh-2');
    expect(await settled(w, 1)).toBe('waits SITES_DISAGREE');
  });
});

describe('the object of a settled conflict at the first site', () => {
  /** Record 0 is stored, record 1 a conflict with it, and a frozen router writes where the first site lost the object. */
  async function displaced(): Promise<RoutingWorld> {
    const w = world();
    await settled(w, 0);
    await settled(w, 1);
    clear(w, 'zrh-1');
    await late(w, 1, 'zrh-1');
    return w;
  }

  it("leads to the owner: the owner's sample is its duplicate, others are conflicts with it", async () => {
    const w = await displaced();
    expect(await settled(w, 3)).toBe(`duplicate of ${position(0)}`);
    expect(await settled(w, 2)).toEqual(conflictWith(0, 'first'));
  });

  it('is not adopted by a record with its sample', async () => {
    expect(await settled(await displaced(), 4)).toEqual(conflictWith(0, 'first'));
  });

  it('makes its equals and others wait while the owner is not settled', async () => {
    const w = world();
    await attempt(w, 0);
    await settled(w, 1);
    clear(w, 'zrh-1');
    await late(w, 1, 'zrh-1');
    for (const index of [2, 3, 4]) expect(await settled(w, index)).toMatch(/^waits/);
    // The owner itself waits for a person.
    expect(await settled(w, 0)).toBe('waits SITES_DISAGREE');
  });
});

describe('the object of a settled conflict at a later site', () => {
  /** As above, and both sites lost the object of the stored record. */
  async function displaced(): Promise<RoutingWorld> {
    const w = world();
    await settled(w, 0);
    await settled(w, 1);
    clear(w, ...SITES);
    await late(w, 1, 'zrh-2');
    return w;
  }

  it("leads to the owner: a record with the owner's sample is its duplicate", async () => {
    expect(await settled(await displaced(), 3)).toBe(`duplicate of ${position(0)}`);
  });

  it('is not adopted by a record with its sample: that one waits for a person', async () => {
    expect(await settled(await displaced(), 4)).toBe('waits SITES_DISAGREE');
  });
});

it('a conflict that names nobody leads nowhere: its object waits for a person', async () => {
  const w = world();
  await settled(w, 0);
  await settled(w, 1);
  const event = w.events.get(position(1));
  if (event?.outcome !== 'quarantined') throw new Error('Expected a conflict.');
  const { of: _of, owner: _owner, ...data } = event.data;
  w.events.set(position(1), { ...event, data });
  clear(w, 'zrh-1');
  await late(w, 1, 'zrh-1');
  expect(await settled(w, 3)).toBe('waits SITES_DISAGREE');
});
