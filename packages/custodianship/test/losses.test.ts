import {
  INITIAL_CONTROL,
  LOSS_CLOSED,
  LOSS_REFUSED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  sha256,
  submissionId,
} from '@residency/contracts';
import type { LossOrder } from '@residency/contracts';
import { CodedError } from '@residency/coded-error';
import { KeySet, findClaims } from '@residency/custodianship';
import type { Custodian } from '@residency/custodianship';
import { FaultyCustodianSite, MemoryRegisterStore, submissionEvent } from '@residency/testkit';
import { describe, expect, it } from 'vitest';
import { CustodyWorld, keyOf } from './custody-world.ts';
import type { AppendFault } from './custody-world.ts';

const running = new AbortController().signal;
const ACT = '0d3f5c1e-7a54-4f0e-9a56-2f6f3c1b8a10';
const OTHER = '5b0b7c5e-0c43-4a8e-8f0e-6d9a4c2e1f77';
const BOTH = ['zrh-1', 'zrh-2'];
const idOf = (id: string): string => submissionId(submissionEvent({ id }));

function giveUp(w: CustodyWorld, ids: readonly string[], change: Partial<LossOrder> = {}): void {
  const order = { act: ACT, at: w.now, reason: 'burned', region: 'zurich', ...change };
  const losses = [...(w.control.losses ?? []), { ...order, submissions: ids.map(idOf) }];
  w.control = { ...INITIAL_CONTROL, ...w.control, losses };
}

/** All sites lose the object. */
function burn(w: CustodyWorld, ...ids: readonly string[]): void {
  for (const id of ids)
    for (const site of BOTH) {
      w.store(site).objects.delete(keyOf(id));
      w.store(site).others.delete(keyOf(id));
    }
}

async function rounds(w: CustodyWorld, custodian: Custodian, count = 3): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    w.elapsed += 60_000;
    await custodian.round(running);
  }
}

const lost = (w: CustodyWorld) =>
  w.all.flatMap((event) => (event.type === SAMPLE_LOST ? [event.data] : []));
const refused = (w: CustodyWorld) =>
  w.all.flatMap((event) => (event.type === LOSS_REFUSED ? [event.data] : []));
const closed = (w: CustodyWorld) =>
  w.all.flatMap((event) => (event.type === LOSS_CLOSED ? [event.data] : []));
const told = (w: CustodyWorld) =>
  refused(w).map(({ submission, code, site }) => [submission, code, site]);

describe('an order to give samples up', () => {
  it('gets one event for each sample that no site has, and ends what is owed', async () => {
    const w = new CustodyWorld();
    for (const id of ['a', 'b']) await w.stored(id, ['zrh-2']);
    await w.stored('kept');
    burn(w, 'a', 'b');
    const custodian = await w.custodian();
    await rounds(w, custodian);
    expect([...custodian.report().unpaid]).toEqual([['NO_GOOD_COPY', 2]]);
    giveUp(w, ['a', 'b']);
    await rounds(w, custodian);
    expect(lost(w)).toMatchObject(
      ['a', 'b'].map((id, offset) => ({
        of: `log-1/threat.samples/0/${offset}`,
        submission: idOf(id),
        region: 'zurich',
        order: ACT,
        sites: BOTH.map((site) => ({ site, found: 'nothing' })),
      })),
    );
    expect(closed(w)).toMatchObject([{ order: ACT, lost: 2, refused: 0 }]);
    const { unpaid, debts, losses } = custodian.report();
    expect([unpaid.size, debts.get('zrh-2'), debts.get('zrh-1')]).toEqual([
      0,
      { owed: 0 },
      { owed: 0 },
    ]);
    expect(losses).toEqual({ open: 0, waiting: 0, sites: [] });
    // A successor that reads both logs knows it too, and a repair does not look for them.
    w.orders.push({ act: 'repair-1', region: 'zurich', site: 'zrh-1' });
    const next = await w.custodian();
    await rounds(w, next);
    expect([next.report().unpaid.size, lost(w).length]).toEqual([0, 2]);
    expect(w.closed).toMatchObject([{ order: 'repair-1', checked: 1, copied: 0, unpaid: 0 }]);
  });

  it('does not give up what one site has, and pays the copy that is owed', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    w.store('zrh-1').objects.delete(keyOf('a'));
    giveUp(w, ['a']);
    w.away.add('zrh-1');
    const custodian = await w.custodian();
    await rounds(w, custodian);
    expect(told(w)).toEqual([[idOf('a'), 'HELD', 'zrh-2']]);
    expect(lost(w)).toEqual([]);
    expect(closed(w)).toMatchObject([{ lost: 0, refused: 1 }]);
    w.away.clear();
    w.orders.push({ act: 'repair-1', region: 'zurich', site: 'zrh-1' });
    await rounds(w, custodian);
    expect(w.events.map(({ data }) => data.submission)).toEqual([idOf('a')]);
  });

  it('waits for a site that does not answer, for that sample and for no other', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    await w.stored('b');
    burn(w, 'a');
    giveUp(w, ['a', 'b', 'never stored']);
    w.away.add('zrh-2');
    const custodian = await w.custodian();
    await rounds(w, custodian);
    expect(custodian.report().losses).toEqual({
      open: 1,
      waiting: 1,
      sites: ['zrh-2'],
      oldestAt: w.now,
    });
    expect([lost(w), closed(w)]).toEqual([[], []]);
    expect(told(w)).toEqual([[idOf('b'), 'HELD', 'zrh-1']]);
    w.away.clear();
    await rounds(w, custodian);
    expect(lost(w).map(({ submission }) => submission)).toEqual([idOf('a')]);
    expect(told(w)[1]).toEqual([idOf('never stored'), 'NOT_STORED', undefined]);
    expect(closed(w)).toMatchObject([{ lost: 1, refused: 2 }]);
  });

  it('ends a step on time however many samples wait, and goes on with the others', async () => {
    const w = new CustodyWorld();
    const ids = Array.from({ length: 32 }, (_, n) => `waits-${n}`);
    for (const id of [...ids, 'kept']) await w.stored(id);
    burn(w, ...ids);
    giveUp(w, [...ids, 'kept']);
    w.away.add('zrh-2');
    let reads = 0;
    w.wrap = (site) =>
      new FaultyCustodianSite(site, ({ method }) => {
        if (method === 'read') reads += 1;
        w.elapsed += 100;
        return 'pass';
      });
    const custodian = await w.custodian();
    const steps: unknown[] = [];
    for (let step = 0; step < 3; step += 1) {
      const { busy, losses } = await custodian.round(running);
      steps.push([reads, busy, losses.waiting, told(w).length]);
    }
    expect(steps).toEqual([
      [16, true, 0, 0],
      [32, true, 0, 0],
      [33, false, 32, 1],
    ]);
    // The next look at them does not forget in the meantime that they wait.
    w.elapsed += 60_000;
    const { busy, losses } = await custodian.round(running);
    expect([busy, losses.waiting]).toEqual([true, 32]);
    w.away.clear();
    await rounds(w, custodian, 5);
    expect([lost(w).length, closed(w).length]).toEqual([32, 1]);
  });

  it('waits for a site that is out of service, unless nobody expects it back', async () => {
    for (const retired of [false, true]) {
      const w = new CustodyWorld();
      await w.stored('a');
      burn(w, 'a');
      giveUp(w, ['a']);
      const service = {
        number: 0,
        out: new Map([['zrh-2', 1]]),
        retired: new Set(retired ? ['zrh-2'] : []),
        claims: new Map(),
      };
      w.control = { ...w.control, services: { zurich: service } };
      const custodian = await w.custodian();
      await rounds(w, custodian);
      expect(lost(w).map(({ sites }) => sites)).toEqual(
        retired ? [[{ site: 'zrh-1', found: 'nothing' }]] : [],
      );
      expect(custodian.report().losses.sites).toEqual(retired ? [] : ['zrh-2']);
    }
  });

  it('gives nothing up while the key has damaged bytes, or the sample in another ciphertext', async () => {
    const w = new CustodyWorld();
    for (const id of ['damaged', 'other']) await w.stored(id, ['zrh-2']);
    const other = w.store('zrh-1').objects.get(keyOf('other'));
    burn(w, 'damaged', 'other');
    w.store('zrh-1').others.set(keyOf('damaged'), { sealed: Buffer.from('damaged') });
    if (other === undefined) throw new Error('nothing stored');
    const sealed = Buffer.from('sealed anew');
    const metadata = { ...other.metadata, sealedSha256: sha256(sealed) };
    w.store('zrh-1').objects.set(keyOf('other'), { ...other, sealed, metadata });
    giveUp(w, ['damaged', 'other']);
    await rounds(w, await w.custodian());
    expect(told(w)).toEqual([
      [idOf('damaged'), 'OBJECT_IN_PLACE', 'zrh-1'],
      [idOf('other'), 'OBJECT_IN_PLACE', 'zrh-1'],
    ]);
    expect(lost(w)).toEqual([]);
  });

  it('gives up the first of two samples of one identity, and leaves the second one as it is', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    burn(w, 'a');
    w.at += 1;
    const second = await w.stored('a');
    expect(second.outcome).toBe('stored');
    giveUp(w, ['a']);
    const custodian = await w.custodian();
    await rounds(w, custodian);
    expect(lost(w)).toMatchObject([
      {
        of: 'log-1/threat.samples/0/0',
        sites: BOTH.map((site) => ({ site, found: 'another' })),
      },
    ]);
    expect(refused(w)).toMatchObject([{ of: 'log-1/threat.samples/0/1', code: 'HELD' }]);
    expect(custodian.report().debts.get('zrh-2')).toEqual({ owed: 0 });
  });

  it('is about its region, and an act that was used before orders nothing', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    burn(w, 'a');
    giveUp(w, ['a'], { region: 'moscow' });
    await rounds(w, await w.custodian());
    expect([lost(w), refused(w), closed(w)]).toEqual([[], [], []]);
  });

  it('makes one event of two orders about one sample', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    burn(w, 'a');
    giveUp(w, ['a']);
    giveUp(w, ['a'], { act: OTHER });
    const custodian = await w.custodian();
    await rounds(w, custodian);
    expect(lost(w)).toMatchObject([{ order: ACT }]);
    expect(refused(w)).toMatchObject([{ order: OTHER, code: 'LOST_BEFORE' }]);
    expect(closed(w).map(({ order }) => order)).toEqual([ACT, OTHER]);
  });

  it('waits with two orders about one sample, and is not busy meanwhile', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    burn(w, 'a');
    giveUp(w, ['a']);
    giveUp(w, ['a'], { act: OTHER });
    w.away.add('zrh-2');
    const custodian = await w.custodian();
    await rounds(w, custodian);
    expect((await custodian.round(running)).busy).toBe(false);
    expect(custodian.report().losses).toMatchObject({ open: 2, waiting: 1 });
  });

  it('is refused for what is erased or is to be, and not for what a hold keeps', async () => {
    const w = new CustodyWorld();
    for (const id of ['a', 'held', 'due']) await w.stored(id);
    const order = { at: w.now, reason: 'x', consents: [] };
    const holds = [{ ...order, act: OTHER, submissions: [idOf('held')] }];
    const erase = (...ids: readonly string[]): void => {
      const orders = ids.map((id, n) => ({
        ...order,
        act: ACT.replace('0d3f', `0d4${n}`),
        submissions: [idOf(id)],
      }));
      w.control = { ...w.control, erasures: { orders, holds } };
    };
    erase('a', 'held');
    const custodian = await w.custodian();
    await rounds(w, custodian);
    burn(w, 'held', 'due');
    erase('a', 'held', 'due');
    giveUp(w, ['a', 'held', 'due']);
    w.away.add('zrh-1');
    await rounds(w, custodian);
    expect(told(w).map(([, code]) => code)).toEqual(['ERASED', 'ERASURE_ORDERED']);
    w.away.clear();
    await rounds(w, custodian);
    expect(lost(w).map(({ submission }) => submission)).toEqual([idOf('held')]);
    // Once the hold is lifted, the order reaches it.
    const { orders = [] } = w.control.erasures ?? {};
    const lifted = holds.map((hold) => ({ ...hold, liftedAt: w.now }));
    w.control = { ...w.control, erasures: { orders, holds: lifted } };
    await rounds(w, custodian);
    expect(w.all.filter(({ type }) => type === SAMPLE_ERASED)).toHaveLength(3);
  });

  it('keeps no lost sample from being erased: sites get the tombstone', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    burn(w, 'a');
    giveUp(w, ['a']);
    const custodian = await w.custodian();
    await rounds(w, custodian);
    const order = { act: OTHER, at: w.now, reason: 'x', submissions: [idOf('a')], consents: [] };
    w.control = { ...w.control, erasures: { orders: [order], holds: [] } };
    w.away.add('zrh-2');
    await rounds(w, custodian);
    w.away.clear();
    await rounds(w, await w.custodian());
    const sites = w.all.flatMap((one) => (one.type === SAMPLE_ERASED ? one.data.sites : []));
    expect(sites.map(({ site }) => site)).toEqual(BOTH);
    expect(w.events).toEqual([]);
  });
});

describe('the erasure of a lost sample', () => {
  const OF = (offset: number): string => `log-1/threat.samples/0/${offset}`;
  const erasedOf = (w: CustodyWorld) =>
    w.all.flatMap((one) => (one.type === SAMPLE_ERASED ? [one.data.of] : []));
  const orderBefore = (w: CustodyWorld, act: string, consentId: string, before: number): void => {
    const consents = [{ consentId, before: new Date(before).toISOString() }];
    const order = { act, at: w.now, reason: 'withdrawn', submissions: [], consents };
    const { orders = [] } = w.control.erasures ?? {};
    w.control = { ...w.control, erasures: { orders: [...orders, order], holds: [] } };
  };

  it('is done without a tombstone if its identity is stored anew and that one is not ordered', async () => {
    const w = new CustodyWorld();
    const first = await w.stored('a');
    if (first.outcome !== 'stored') throw new Error(first.outcome);
    burn(w, 'a');
    giveUp(w, ['a']);
    const custodian = await w.custodian();
    await rounds(w, custodian);
    w.at += 1;
    const second = await w.stored('a', ['zrh-2']);
    expect(second.outcome).toBe('stored');
    const object = w.store('zrh-1').objects.get(keyOf('a'));
    orderBefore(w, OTHER, first.data.consentId, second.at);
    // Not even where the second one's object is gone for now.
    w.store('zrh-1').objects.delete(keyOf('a'));
    await rounds(w, custodian);
    expect(custodian.report().erasures).toEqual({ complete: true, waiting: 0, held: 0 });
    expect(erasedOf(w)).toEqual([]);
    if (object === undefined) throw new Error('nothing stored');
    w.store('zrh-1').objects.set(keyOf('a'), object);
    await rounds(w, custodian);
    expect(w.events.map(({ data }) => data.of)).toEqual([OF(1)]);
    // Once an order reaches the second one, both are erased.
    orderBefore(w, ACT, first.data.consentId, second.at + 1);
    await rounds(w, custodian);
    expect(erasedOf(w).toSorted()).toEqual([OF(0), OF(1)]);
    expect(custodian.report().erasures).toEqual({ complete: true, waiting: 0, held: 0 });
  });
});

describe('a custodian that fails', () => {
  it.each<[string, AppendFault]>([
    ['before its events are there', 'fail'],
    ['after its events are there', 'fail-but-persist'],
  ])('%s gives each sample up once, at every append', async (_, fault) => {
    for (let at = 0; at < 2; at += 1) {
      const w = new CustodyWorld();
      for (const id of ['a', 'b']) await w.stored(id);
      burn(w, 'a', 'b');
      giveUp(w, ['a', 'b', 'never stored']);
      w.appendFaults = [...Array.from({ length: at }, () => 'pass' as const), fault];
      for (let life = 0; life < 3; life += 1)
        await rounds(w, await w.custodian()).catch(() => undefined);
      expect(w.appendFaults).toEqual([]);
      expect(lost(w).map(({ submission }) => submission)).toEqual([idOf('a'), idOf('b')]);
      expect(told(w)).toEqual([[idOf('never stored'), 'NOT_STORED', undefined]]);
      expect(closed(w)).toMatchObject([{ lost: 2, refused: 1 }]);
    }
  });

  it('at every read of a site waits, and gives up once what no site has', async () => {
    for (let at = 0; at < 4; at += 1) {
      const w = new CustodyWorld();
      for (const id of ['a', 'b']) await w.stored(id);
      burn(w, 'a', 'b');
      giveUp(w, ['a', 'b']);
      let reads = 0;
      w.wrap = (site) =>
        new FaultyCustodianSite(site, ({ method }) => {
          if (method !== 'read') return 'pass';
          reads += 1;
          return reads - 1 === at ? 'fail' : 'pass';
        });
      const custodian = await w.custodian();
      await custodian.round(running);
      expect(lost(w)).toHaveLength(1);
      await rounds(w, custodian);
      expect(lost(w)).toHaveLength(2);
      expect(closed(w)).toMatchObject([{ lost: 2, refused: 0 }]);
    }
  });

  it('ends at a site whose marker is another', async () => {
    const w = new CustodyWorld();
    await w.stored('a');
    giveUp(w, ['a']);
    const stop = new CodedError({ code: 'SITE_MARKER_WRONG', message: 'x', remedy: 'stop' });
    const custodian = await w.custodian({ sites: { site: () => Promise.reject(stop) } });
    await expect(custodian.round(running)).rejects.toThrow(stop);
    expect(lost(w)).toEqual([]);
  });
});

describe('a register of before a loss', () => {
  it('leads to no second event, no debt, and to the rest of the order', async () => {
    const w = new CustodyWorld();
    for (const id of ['a', 'b']) await w.stored(id, ['zrh-2']);
    burn(w, 'a', 'b');
    w.away.add('zrh-2');
    const register = {
      store: new MemoryRegisterStore(),
      topics: {},
      passedOver: () => undefined,
      opened: () => undefined,
      saved: () => undefined,
      failed: () => undefined,
    };
    const first = await w.custodian({ register });
    await rounds(w, first);
    expect(first.report().debts.get('zrh-2')?.owed).toBe(2);
    await first.keep();
    giveUp(w, ['a']);
    w.away.clear();
    const second = await w.custodian();
    await rounds(w, second, 1);
    expect([lost(w).length, closed(w).length]).toEqual([1, 1]);
    w.away.add('zrh-2');
    giveUp(w, ['b'], { act: OTHER });
    const third = await w.custodian({ register });
    await rounds(w, third);
    // `b` waits.
    expect(third.report().debts.get('zrh-2')?.owed).toBe(1);
    await third.keep();
    w.away.clear();
    const fourth = await w.custodian({ register });
    await rounds(w, fourth);
    expect(fourth.report().debts.get('zrh-2')?.owed).toBe(0);
    expect(lost(w).map(({ order }) => order)).toEqual([ACT, OTHER]);
    await fourth.keep();
    // What is lost is in the register itself.
    giveUp(w, ['a'], { act: ACT.replace('0d3f', '1d3f') });
    await rounds(w, await w.custodian({ register }));
    expect(told(w)).toEqual([[idOf('a'), 'LOST_BEFORE', undefined]]);
  });
});

it('a register of before a loss whose event does not name the site leads to no debt there', async () => {
  const w = new CustodyWorld();
  await w.stored('a', ['zrh-2']);
  burn(w, 'a');
  w.away.add('zrh-2');
  const register = {
    store: new MemoryRegisterStore(),
    topics: {},
    passedOver: () => undefined,
    opened: () => undefined,
    saved: () => undefined,
    failed: () => undefined,
  };
  const first = await w.custodian({ register });
  await rounds(w, first);
  await first.keep();
  const { control } = w;
  const service = {
    number: 0,
    out: new Map([['zrh-2', 1]]),
    retired: new Set(['zrh-2']),
    claims: new Map(),
  };
  w.control = { ...control, services: { zurich: service } };
  giveUp(w, ['a']);
  await rounds(w, await w.custodian());
  expect(lost(w)).toMatchObject([{ sites: [{ site: 'zrh-1' }] }]);
  w.away.clear();
  w.control = control;
  const second = await w.custodian({ register });
  expect(second.report().debts.get('zrh-2')?.owed).toBe(1);
  await rounds(w, second);
  const { debts, unpaid } = second.report();
  expect([debts.get('zrh-2'), unpaid.size]).toEqual([{ owed: 0 }, 0]);
});

describe('a change of the arbiter after a loss', () => {
  it('neither counts nor claims what was given up, and claims what is stored anew', async () => {
    const w = new CustodyWorld();
    for (const id of ['a', 'b']) await w.stored(id);
    burn(w, 'a', 'b');
    giveUp(w, ['a']);
    await rounds(w, await w.custodian());
    const found = async (...listed: readonly string[]) => {
      const keys = new KeySet();
      for (const submission of listed) keys.add(submission);
      const { claims, unheld } = await findClaims({
        sites: ['zrh-2'],
        audit: w.feed(),
        custody: w.open(),
        listed: Promise.resolve(new Map([['zrh-2', keys]])),
      });
      return [claims.map(({ of }) => of), unheld];
    };
    expect(await found()).toEqual([['log-1/threat.samples/0/1'], 1]);
    w.at += 1;
    await w.stored('a', ['zrh-2']);
    expect(await found()).toEqual([['log-1/threat.samples/0/1', 'log-1/threat.samples/0/2'], 2]);
  });
});
