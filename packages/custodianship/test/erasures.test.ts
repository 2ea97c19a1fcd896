import {
  INITIAL_CONTROL,
  SAMPLE_ACCESSED,
  SAMPLE_ERASED,
  setAsideKey,
  sha256,
  submissionId,
  tombstoneBytes,
} from '@residency/contracts';
import type { AuditEvent, Erasures, Hold } from '@residency/contracts';
import { CodedError } from '@residency/coded-error';
import { KeySet, findClaims } from '@residency/custodianship';
import type { CustodianSite, FoundCopy, NewCopy } from '@residency/custodianship';
import { FaultyCustodianSite, MemoryRegisterStore, submissionEvent } from '@residency/testkit';
import { describe, expect, it } from 'vitest';
import { CustodyWorld, keyOf } from './custody-world.ts';
import type { AppendFault } from './custody-world.ts';

const running = new AbortController().signal;
const ACT = '0d3f5c1e-7a54-4f0e-9a56-2f6f3c1b8a10';
const OTHER = '5b0b7c5e-0c43-4a8e-8f0e-6d9a4c2e1f77';
const HOLD = 'f6c0a9d2-4f0b-4d59-b6a3-93b6d0c7a2e4';
const idOf = (id: string): string => submissionId(submissionEvent({ id }));

function order(w: CustodyWorld, ids: readonly string[], act = ACT): void {
  const { orders, holds } = w.control.erasures ?? { orders: [], holds: [] };
  const submissions = ids.map(idOf);
  set(w, {
    holds,
    orders: [...orders, { act, at: w.now, reason: 'asked', submissions, consents: [] }],
  });
}

function hold(w: CustodyWorld, ids: readonly string[], liftedAt?: number): void {
  const orders = w.control.erasures?.orders ?? [];
  const one: Hold = {
    act: HOLD,
    at: w.now,
    reason: 'case',
    submissions: ids.map(idOf),
    consents: [],
  };
  set(w, { orders, holds: [liftedAt === undefined ? one : { ...one, liftedAt }] });
}

function set(w: CustodyWorld, erasures: Erasures): void {
  w.control = { ...INITIAL_CONTROL, erasures };
}

const erased = (w: CustodyWorld) =>
  w.all.flatMap((event) => (event.type === SAMPLE_ERASED ? [event.data] : []));

/** What the site has under the sample's key. */
const at = (w: CustodyWorld, site: string, id: string): string | undefined => {
  const { objects, others } = w.store(site);
  const found = objects.get(keyOf(id)) ?? others.get(keyOf(id));
  return found === undefined ? undefined : Buffer.from(found.sealed).toString('latin1');
};
const tombstone = (id: string, act = ACT): string =>
  tombstoneBytes(idOf(id), act).toString('latin1');

describe('an order to erase', () => {
  it('puts a tombstone at every site, says so once, and touches nothing else', async () => {
    const w = new CustodyWorld();
    for (const id of ['a', 'b', 'c']) await w.stored(id);
    const [before, kept] = [at(w, 'zrh-1', 'b'), at(w, 'zrh-2', 'c')];
    order(w, ['a', 'c']);
    order(w, ['a'], OTHER);
    hold(w, ['c']);
    const custodian = await w.custodian();
    for (let n = 0; n < 3; n += 1) await custodian.round(running);
    for (const site of ['zrh-1', 'zrh-2']) expect(at(w, site, 'a')).toBe(tombstone('a'));
    expect([at(w, 'zrh-1', 'b'), at(w, 'zrh-2', 'c')]).toEqual([before, kept]);
    const none = { versions: 0, setAside: 0, uploads: 0 };
    const digest = sha256(tombstoneBytes(idOf('a'), ACT));
    expect(erased(w)).toMatchObject([
      {
        of: 'log-1/threat.samples/0/0',
        submission: idOf('a'),
        region: 'zurich',
        order: ACT,
        sites: ['zrh-1', 'zrh-2'].map((site) => ({ site, sha256: digest, ...none })),
      },
    ]);
    expect(custodian.report().erasures).toEqual({ complete: true, waiting: 0, held: 1 });

    hold(w, ['c'], w.now);
    for (let n = 0; n < 3; n += 1) await custodian.round(running);
    expect(at(w, 'zrh-1', 'c')).toBe(tombstone('c'));
    expect(erased(w)).toHaveLength(2);
    expect(custodian.report().erasures).toEqual({ complete: true, waiting: 0, held: 0 });
  });

  it('takes in what is stored later, and a consent only what was appended before', async () => {
    const w = new CustodyWorld();
    const event = await w.stored('a');
    if (event.outcome !== 'stored') throw new Error(event.outcome);
    const { consentId } = event.data;
    const consents = (before: number) => [{ consentId, before: new Date(before).toISOString() }];
    const standing = { act: ACT, at: w.now, reason: 'withdrawn', submissions: [] };
    set(w, { holds: [], orders: [{ ...standing, consents: consents(event.at) }] });
    const custodian = await w.custodian();
    await custodian.round(running);
    await custodian.round(running);
    expect(erased(w)).toEqual([]);
    set(w, {
      holds: [],
      orders: [
        { ...standing, consents: consents(event.at) },
        { ...standing, act: OTHER, consents: consents(event.at + 1) },
      ],
    });
    await custodian.round(running);
    await w.stored('later');
    await custodian.round(running);
    await custodian.round(running);
    expect(erased(w).map(({ submission, order: by }) => [submission, by])).toEqual([
      [idOf('a'), OTHER],
      [idOf('later'), OTHER],
    ]);
  });

  it('erases other bytes under the key and what was set aside, and reserves their keys', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    const damaged = Buffer.from('damaged');
    w.store('zrh-2').others.set(keyOf('a'), { sealed: damaged });
    w.store('zrh-2').objects.delete(keyOf('a'));
    const earlier = setAsideKey(idOf('a'), sha256(Buffer.from('earlier')));
    w.store('zrh-1').others.set(earlier, { sealed: Buffer.from('earlier') });
    order(w, ['a']);
    await (await w.custodian()).round(running);
    expect(at(w, 'zrh-2', 'a')).toBe(tombstone('a'));
    const keptAt = (site: string, key: string) =>
      Buffer.from(w.store(site).others.get(key)?.sealed ?? []).toString('latin1');
    expect(keptAt('zrh-1', earlier)).toBe(tombstone('a'));
    expect(keptAt('zrh-2', setAsideKey(idOf('a'), sha256(damaged)))).toBe(tombstone('a'));
    expect(erased(w)[0]?.sites.map(({ setAside }) => setAside)).toEqual([1, 0]);
  });

  it('waits for the arbiter, and owes a later site that is away its tombstone', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    order(w, ['a']);
    w.away.add('zrh-1');
    const custodian = await w.custodian();
    await custodian.round(running);
    expect(erased(w)).toEqual([]);
    expect(at(w, 'zrh-2', 'a')).not.toBe(tombstone('a'));
    expect(custodian.report().erasures).toMatchObject({ complete: false, oldestAt: w.now });
    w.away.delete('zrh-1');
    w.away.add('zrh-2');
    w.elapsed += 60_000;
    await custodian.round(running);
    expect(erased(w).map(({ sites }) => sites.map(({ site }) => site))).toEqual([['zrh-1']]);
    expect(custodian.report().debts.get('zrh-2')?.owed).toBe(1);
    expect(custodian.report().erasures).toEqual({
      complete: true,
      waiting: 1,
      held: 0,
      oldestAt: w.now,
    });
    // A successor that reads both logs knows what is left to do.
    w.away.clear();
    const next = await w.custodian();
    await next.round(running);
    expect(at(w, 'zrh-2', 'a')).toBe(tombstone('a'));
    expect(erased(w).map(({ sites }) => sites.map(({ site }) => site))).toEqual([
      ['zrh-1'],
      ['zrh-2'],
    ]);
    expect(next.report().debts.get('zrh-2')?.owed).toBe(0);
    expect(w.events).toEqual([]);
  });

  it.each(['opening', 'purge'] as const)(
    'names the sites that are done, also if the %s of another one needs a person',
    async (broken) => {
      const w = new CustodyWorld(['zrh-1', 'zrh-2', 'zrh-3']);
      await w.stored('a');
      order(w, ['a']);
      const stop = new CodedError({ code: 'SITE_NOT_ERASABLE', message: 'no', remedy: 'stop' });
      w.wrap = (site) => {
        if (site.site !== 'zrh-2') return site;
        if (broken === 'opening') throw stop;
        return Object.assign(site, { purge: () => Promise.reject(stop) });
      };
      await expect((await w.custodian()).round(running)).rejects.toBe(stop);
      const named = () => erased(w).map(({ sites }) => sites.map(({ site }) => site));
      expect(named()).toEqual([['zrh-1', 'zrh-3']]);
      w.wrap = (site) => site;
      const next = await w.custodian();
      for (let n = 0; n < 2; n += 1) await next.round(running);
      expect(named()).toEqual([['zrh-1', 'zrh-3'], ['zrh-2']]);
      expect(w.events).toEqual([]);
    },
  );

  it('gives a site that a policy adds the tombstone, not the sample', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    await w.stored('b');
    order(w, ['a']);
    const custodian = await w.custodian();
    await custodian.round(running);
    w.policy(['zrh-1', 'zrh-2', 'zrh-3']);
    for (let n = 0; n < 3; n += 1) await custodian.round(running);
    expect(at(w, 'zrh-3', 'a')).toBe(tombstone('a'));
    expect(at(w, 'zrh-3', 'b')).toBe(at(w, 'zrh-1', 'b'));
    expect(w.events.map(({ data }) => data.submission)).toEqual([idOf('b')]);
    expect(erased(w)[1]?.sites.map(({ site }) => site)).toEqual(['zrh-3']);
  });

  it('makes tombstones durable before their event', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    order(w, ['a']);
    const flushed: string[] = [];
    w.wrap = (site) =>
      new FaultyCustodianSite(site, ({ method }) => {
        if (method === 'flush') flushed.push(`${site.site} ${erased(w).length}`);
        return 'pass';
      });
    await (await w.custodian()).round(running);
    expect(flushed).toEqual(['zrh-1 0', 'zrh-2 0']);
  });

  it('waits until an access to the sample is over, by a slow clock too, and makes no copy meanwhile', async () => {
    const w = new CustodyWorld();
    const event = await w.stored('a', ['zrh-2']);
    order(w, []);
    w.away.add('zrh-2');
    const custodian = await w.custodian();
    await custodian.round(running);
    await accessed(w, custodian, event, w.now + 60_000);
    order(w, ['a'], OTHER);
    w.away.clear();
    for (const [after, count] of [
      [0, 0],
      [60_000, 0],
      [29_999, 0],
      [1, 1],
    ] as const) {
      w.now += after;
      w.elapsed += 10_000;
      await custodian.round(running);
      expect(erased(w)).toHaveLength(count);
    }
    expect(w.events).toEqual([]);
  });

  it('erases again what was put in the place of a tombstone, by an order to repair', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    const whole = w.store('zrh-2').objects.get(keyOf('a'));
    order(w, ['a']);
    const custodian = await w.custodian();
    await custodian.round(running);
    if (whole === undefined) throw new Error('nothing stored');
    // A restored backup.
    w.store('zrh-2').objects.set(keyOf('a'), whole);
    const kept = setAsideKey(idOf('a'), sha256(Buffer.from('old')));
    w.store('zrh-2').others.set(kept, { sealed: Buffer.from('old') });
    w.orders.push({ act: 'repair-1', region: 'zurich', site: 'zrh-2' });
    for (let n = 0; n < 5; n += 1) await custodian.round(running);
    expect(at(w, 'zrh-2', 'a')).toBe(tombstone('a'));
    expect(Buffer.from(w.store('zrh-2').others.get(kept)?.sealed ?? [])).toEqual(
      tombstoneBytes(idOf('a'), ACT),
    );
    expect(erased(w)[1]).toMatchObject({ repair: 'repair-1', order: ACT });
    expect(w.closed).toMatchObject([{ order: 'repair-1', checked: 1, copied: 1, unpaid: 0 }]);
  });
});

describe('a store that refuses to purge', () => {
  const refused = new CodedError({ code: 'SITE_REFUSED', message: 'refused', remedy: 'retry' });
  const refusing = (name: string) => (site: CustodianSite) => {
    if (site.site !== name) return site;
    return {
      site: site.site,
      read: (key: string) => site.read(key),
      metadata: (key: string) => site.metadata(key),
      create: (copy: NewCopy) => site.create(copy),
      replace: (copy: NewCopy, found: FoundCopy) => site.replace(copy, found),
      setAside: (submission: string, found: FoundCopy) => site.setAside(submission, found),
      purge: () => Promise.reject(refused),
      flush: () => site.flush(),
    };
  };

  it('gets and gives copies all the same', async () => {
    for (const name of ['zrh-1', 'zrh-2']) {
      const w = new CustodyWorld();
      for (const id of ['a', 'b', 'c']) await w.stored(id, ['zrh-2']);
      order(w, ['a']);
      w.wrap = refusing(name);
      const custodian = await w.custodian();
      for (let n = 0; n < 3; n += 1) {
        await custodian.round(running);
        w.elapsed += 60_000;
      }
      expect(w.events.map(({ data }) => data.submission).toSorted()).toEqual(
        ['b', 'c'].map(idOf).toSorted(),
      );
      const { erasures } = custodian.report();
      expect([erasures.waiting > 0 || !erasures.complete, erasures.oldestAt]).toEqual([
        true,
        w.now,
      ]);
      w.wrap = (site) => site;
      w.elapsed += 60_000;
      await custodian.round(running);
      expect(erased(w).flatMap(({ sites }) => sites.map(({ site }) => site))).toEqual([
        'zrh-1',
        'zrh-2',
      ]);
    }
  });
});

describe('a hold', () => {
  it('counts from the next batch on', async () => {
    const w = new CustodyWorld();
    const ids = Array.from({ length: 40 }, (_, n) => `n-${n}`);
    for (const id of ids) await w.stored(id);
    order(w, ids);
    w.wrap = (site) =>
      new FaultyCustodianSite(site, ({ method }) => {
        if (method === 'flush') hold(w, ids);
        return 'pass';
      });
    const custodian = await w.custodian();
    for (let n = 0; n < 3; n += 1) await custodian.round(running);
    expect(erased(w)).toHaveLength(16);
    expect(custodian.report().erasures).toEqual({ complete: true, waiting: 0, held: 24 });
  });

  it('leaves what came back as it is, and ends no repair', async () => {
    const w = new CustodyWorld();
    for (const id of ['a', 'b']) await w.stored(id);
    const whole = w.store('zrh-2').objects.get(keyOf('a'));
    order(w, ['a']);
    const custodian = await w.custodian();
    await custodian.round(running);
    if (whole === undefined) throw new Error('nothing stored');
    w.store('zrh-2').objects.set(keyOf('a'), whole);
    w.store('zrh-2').objects.delete(keyOf('b'));
    hold(w, ['a']);
    w.orders.push({ act: 'repair-1', region: 'zurich', site: 'zrh-2' });
    for (let n = 0; n < 3; n += 1) await custodian.round(running);
    expect(at(w, 'zrh-2', 'a')).toBe(Buffer.from(whole.sealed).toString('latin1'));
    expect(at(w, 'zrh-2', 'b')).toBe(at(w, 'zrh-1', 'b'));
    expect(w.closed).toMatchObject([{ order: 'repair-1', checked: 2, copied: 1, unpaid: 0 }]);
  });

  it('keeps another stored sample of the identity, which no order is about', async () => {
    const w = new CustodyWorld();
    const [first, second] = [await w.stored('a'), await stolen(w)];
    const consents = (of: AuditEvent, before: number) => [
      { consentId: consentOf(of), before: new Date(before).toISOString() },
    ];
    const one = { act: ACT, at: w.now, reason: 'asked', submissions: [] };
    set(w, { holds: [], orders: [{ ...one, consents: consents(first, second.at) }] });
    const kept = at(w, 'zrh-1', 'a');
    const custodian = await w.custodian();
    for (let n = 0; n < 3; n += 1) await custodian.round(running);
    expect(at(w, 'zrh-1', 'a')).toBe(kept);
    expect(custodian.report().erasures.waiting).toBe(1);
    const later = { ...one, act: OTHER, consents: consents(first, second.at + 1) };
    set(w, { holds: [], orders: [...(w.control.erasures?.orders ?? []), later] });
    w.elapsed += 60_000;
    for (let n = 0; n < 3; n += 1) await custodian.round(running);
    expect(at(w, 'zrh-1', 'a')).not.toBe(kept);
  });
});

const consentOf = (event: AuditEvent): string =>
  event.outcome === 'stored' ? event.data.consentId : '';

/** The sites lose the sample; the same identity is stored once more, later. */
async function stolen(w: CustodyWorld): Promise<AuditEvent> {
  for (const site of ['zrh-1', 'zrh-2']) w.store(site).objects.delete(keyOf('a'));
  w.at += 1;
  const event = await w.stored('a');
  expect(event.outcome).toBe('stored');
  return event;
}

describe('a slow log', () => {
  it('is looked through all the same, every partition', async () => {
    const w = new CustodyWorld();
    for (const id of ['a', 'b', 'c']) await w.stored(id);
    order(w, ['c']);
    let clock = 0;
    const feed = w.feed();
    const custodian = await w.custodian({
      audit: {
        partitions: async () => [0, 1, 2],
        read: async function* read(partition, from) {
          if (partition === 2) yield* feed.read(partition, from);
          else
            for (let offset = from; offset < 100n; offset += 1n)
              yield { offset, value: Buffer.from('no event') };
        },
      },
      elapsed: () => (clock += 1_500),
    });
    for (let n = 0; n < 20; n += 1) await custodian.round(running);
    expect(at(w, 'zrh-1', 'c')).toBe(tombstone('c'));
  });
});

describe('a change of the arbiter', () => {
  it('claims an erased identity unless the next arbiter has its tombstone', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    order(w, ['a']);
    const custodian = await w.custodian();
    await custodian.round(running);
    w.policy(['zrh-1', 'zrh-2', 'zrh-3']);
    for (let n = 0; n < 2; n += 1) await custodian.round(running);
    const claims = async (...submissions: string[]) => {
      const listed = new KeySet();
      for (const submission of submissions) listed.add(submission);
      const found = await findClaims({
        sites: ['zrh-3'],
        audit: w.feed(),
        custody: w.open(),
        listed: Promise.resolve(new Map([['zrh-3', listed]])),
      });
      return [found.claims.length, found.unheld];
    };
    expect(await claims(idOf('a'))).toEqual([0, 0]);
    expect(await claims()).toEqual([1, 0]);
  });
});

describe('a register of before an erasure', () => {
  it('leads to what is left to do, and to nothing twice', async () => {
    for (const away of [true, false]) {
      const w = new CustodyWorld();
      for (const id of ['a', 'b']) await w.stored(id, ['zrh-2']);
      await w.stored('c');
      w.away.add('zrh-2');
      const store = new MemoryRegisterStore();
      const keeping = {
        store,
        topics: {},
        passedOver: () => undefined,
        opened: () => undefined,
        saved: () => undefined,
        failed: () => undefined,
      };
      order(w, ['b']);
      hold(w, ['b']);
      const first = await w.custodian({ register: keeping });
      await first.round(running);
      await first.keep();
      hold(w, ['b'], w.now);
      order(w, ['a', 'c'], OTHER);
      if (!away) w.away.clear();
      const second = await w.custodian();
      for (let n = 0; n < 2; n += 1) await second.round(running);
      w.away.clear();
      const third = await w.custodian({ register: keeping });
      for (let n = 0; n < 2; n += 1) await third.round(running);
      const named = erased(w).flatMap(({ submission, sites }) =>
        sites.map(({ site }) => `${['a', 'b', 'c'].find((id) => idOf(id) === submission)} ${site}`),
      );
      expect(named.toSorted()).toEqual(
        ['a', 'b', 'c'].flatMap((id) => [`${id} zrh-1`, `${id} zrh-2`]),
      );
      expect(third.report().debts.get('zrh-2')?.owed).toBe(0);
      expect(w.events).toEqual([]);
    }
  });
});

/** Records an access to the sample, as the vault does. */
async function accessed(
  w: CustodyWorld,
  { accesses }: Awaited<ReturnType<CustodyWorld['custodian']>>,
  event: AuditEvent,
  until: number,
): Promise<void> {
  if (event.outcome !== 'stored') throw new Error(event.outcome);
  await accesses.append(
    () => ({
      type: SAMPLE_ACCESSED,
      data: {
        access: '01890a5d-ac96-774b-bcce-b302099a8057',
        of: 'log-1/threat.samples/0/0',
        submission: event.data.submission,
        principal: 'analyst-1',
        purpose: 'malware-analysis',
        reference: '0'.repeat(64),
        form: 'cart',
        until: new Date(until).toISOString(),
        bytes: 8,
      },
    }),
    w.now,
  );
}

/** Four samples to erase: in both sites, owed by one, damaged in one, set aside in one; and one to keep. */
async function worldToErase(): Promise<CustodyWorld> {
  const w = new CustodyWorld();
  for (const id of ['whole', 'damaged', 'aside', 'kept']) await w.stored(id);
  await w.stored('owed', ['zrh-2']);
  w.store('zrh-2').objects.delete(keyOf('damaged'));
  w.store('zrh-2').others.set(keyOf('damaged'), { sealed: Buffer.from('damaged') });
  const kept = setAsideKey(idOf('aside'), sha256(Buffer.from('aside')));
  w.store('zrh-1').others.set(kept, { sealed: Buffer.from('aside') });
  order(w, ['whole', 'damaged', 'aside', 'owed']);
  return w;
}

/** Runs until all is erased, with a new custodian after every error, as after a kill. */
async function untilErased(w: CustodyWorld): Promise<void> {
  for (let restarts = 0; restarts < 20; restarts += 1) {
    try {
      const custodian = await w.custodian();
      for (let rounds = 0; rounds < 10; rounds += 1) {
        const { erasures, debts } = await custodian.round(running);
        if (erasures.complete && erasures.waiting === 0 && debts.get('zrh-2')?.owed === 0) return;
        w.elapsed += 60_000;
      }
    } catch {
      // Killed, or fenced: another one begins.
    }
  }
  throw new Error('not erased');
}

/** What is left of the sites once all is erased, and what the events say. */
function stateOf(w: CustodyWorld) {
  const ids = ['whole', 'damaged', 'aside', 'owed'];
  const named = new Map(ids.map((id) => [id, new Set<string>()]));
  for (const { submission, sites } of erased(w))
    for (const { site } of sites)
      named.get(ids.find((id) => idOf(id) === submission) ?? '')?.add(site);
  const left = ['zrh-1', 'zrh-2'].flatMap((site) =>
    [...w.store(site).others, ...w.store(site).objects]
      .filter(([key]) => key.includes('damaged/') || key !== keyOf('kept'))
      .map(([, { sealed }]) => Buffer.from(sealed).toString('latin1')),
  );
  return {
    named: [...named.values()].map((sites) => [...sites].toSorted()),
    left: left.filter((bytes) => !ids.some((id) => bytes === tombstone(id))),
    kept: at(w, 'zrh-1', 'kept') === at(w, 'zrh-2', 'kept'),
    copies: w.events.map(({ data }) => data.submission),
  };
}

const DONE = {
  named: Array.from({ length: 4 }, () => ['zrh-1', 'zrh-2']),
  left: [],
  kept: true,
  copies: [],
};

describe('an order to erase, when a call fails or its answer is lost', () => {
  it('of a site: each call in turn', async () => {
    const whole = await worldToErase();
    let calls = 0;
    whole.wrap = (site) =>
      new FaultyCustodianSite(site, () => {
        calls += 1;
        return 'pass';
      });
    await untilErased(whole);
    expect(stateOf(whole)).toEqual(DONE);
    expect(calls).toBeGreaterThan(20);
    for (const kind of ['fail', 'fail-but-persist'] as const)
      for (let broken = 0; broken < calls; broken += 1) {
        const w = await worldToErase();
        let call = -1;
        w.wrap = (site) =>
          new FaultyCustodianSite(site, () => {
            call += 1;
            return call === broken ? kind : 'pass';
          });
        await untilErased(w);
        expect(stateOf(w), `${kind} ${broken}`).toEqual(DONE);
      }
  });

  it('of the custody log: each append', async () => {
    for (const kind of ['fail', 'fail-but-persist'] as const)
      for (let broken = 0; broken < 4; broken += 1) {
        const w = await worldToErase();
        w.appendFaults = [...Array.from({ length: broken }, (): AppendFault => 'pass'), kind];
        await untilErased(w);
        expect(stateOf(w), `${kind} ${broken}`).toEqual(DONE);
      }
  });
});
