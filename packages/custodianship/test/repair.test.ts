import { CodedError } from '@residency/coded-error';
import { sha256 } from '@residency/contracts';
import { FaultyCustodianSite } from '@residency/testkit';
import { describe, expect, it } from 'vitest';
import { CustodyWorld, keyOf } from './custody-world.ts';

const running = new AbortController().signal;
const ORDER = { act: 'order-1', region: 'zurich', site: 'zrh-1' } as const;

/** Forty samples in both sites. */
async function worldOf(count = 40): Promise<CustodyWorld> {
  const w = new CustodyWorld();
  for (let n = 0; n < count; n += 1) await w.stored(`n-${n}`);
  return w;
}

/** Removes, cuts or damages the objects of zrh-1 whose number is in `which`. */
function harm(w: CustodyWorld, which: readonly number[]): void {
  const { objects } = w.store('zrh-1');
  for (const n of which) {
    const found = objects.get(keyOf(`n-${n}`));
    if (found === undefined) throw new Error('nothing there');
    if (n % 3 === 0) objects.delete(keyOf(`n-${n}`));
    else {
      const sealed =
        n % 3 === 1 ? found.sealed.slice(0, 4) : Buffer.from(found.sealed).fill(0, 1, 2);
      objects.set(keyOf(`n-${n}`), { metadata: found.metadata, sealed });
    }
  }
}

/** Rounds until the order is closed, with a new custodian after an error. */
async function untilClosed(w: CustodyWorld): Promise<void> {
  for (let restarts = 0; restarts < 20; restarts += 1) {
    try {
      const custodian = await w.custodian();
      for (let rounds = 0; rounds < 20; rounds += 1) {
        await custodian.round(running);
        if (w.closed.length > 0) return;
        w.elapsed += 60_000;
      }
    } catch {
      // Killed: another one begins.
    }
  }
  throw new Error('not closed');
}

describe('an order to repair a site', () => {
  it('makes anew what is missing, cut or damaged, and nothing else, and closes with the counts', async () => {
    const w = await worldOf();
    const whole = new Map(w.store('zrh-1').objects);
    const good = new Map(w.store('zrh-2').objects);
    harm(w, [0, 7, 14, 21, 28, 35, 39]);
    w.orders.push(ORDER);
    await untilClosed(w);
    expect(w.closed).toMatchObject([
      { order: 'order-1', region: 'zurich', site: 'zrh-1', checked: 40, copied: 7, unpaid: 0 },
    ]);
    expect(w.store('zrh-1').objects).toEqual(whole);
    expect(w.store('zrh-2').objects).toEqual(good);
    expect(w.events.map(({ data }) => [data.order, data.copy.site, data.from])).toEqual(
      Array.from({ length: 7 }, () => ['order-1', 'zrh-1', 'zrh-2']),
    );
  });

  it('keeps what it replaces aside', async () => {
    const w = await worldOf(3);
    harm(w, [1, 2]);
    const harmed = [1, 2].map((n) =>
      sha256(w.store('zrh-1').objects.get(keyOf(`n-${n}`))?.sealed ?? Buffer.alloc(0)),
    );
    w.orders.push(ORDER);
    await untilClosed(w);
    expect(w.events.map(({ data }) => data.setAside?.sha256)).toEqual(harmed);
    expect(
      [...w.store('zrh-1').others.values()].map(({ sealed }) => sha256(sealed)).toSorted(),
    ).toEqual(harmed.toSorted());
  });

  it('is no finding of the fold, and leaves nothing owed', async () => {
    const w = await worldOf(1);
    const [event] = [await w.stored('x')];
    w.store('zrh-1').objects.delete(keyOf('x'));
    w.orders.push(ORDER);
    await untilClosed(w);
    expect(w.read(event)).toEqual({ in: ['zrh-1', 'zrh-2'], owed: [], findings: [] });
  });

  it('counts what no site has any more, and leaves it as it is', async () => {
    const w = await worldOf(3);
    for (const site of ['zrh-1', 'zrh-2']) w.store(site).objects.delete(keyOf('n-1'));
    w.orders.push(ORDER);
    await untilClosed(w);
    expect(w.closed).toMatchObject([{ checked: 3, copied: 0, unpaid: 1 }]);
    expect(w.notRepaired).toMatchObject([
      { of: 'log-1/threat.samples/0/1', site: 'zrh-1', order: 'order-1', code: 'NO_GOOD_COPY' },
    ]);
  });

  it('counts with its successor what was made anew before, and names each object once', async () => {
    for (const kind of ['fail', 'fail-but-persist'] as const)
      for (const nth of [0, 1, 2]) {
        const w = await worldOf(40);
        harm(w, [0, 1, 17, 34]);
        for (const n of [3, 20, 39])
          for (const site of ['zrh-1', 'zrh-2']) w.store(site).objects.delete(keyOf(`n-${n}`));
        w.orders.push(ORDER);
        // The append of the nth batch; each has something to say.
        w.appendFaults = [...Array.from({ length: nth }, () => 'pass' as const), kind];
        await untilClosed(w);
        const copied = new Set(w.events.map(({ data }) => data.of)).size;
        expect(w.closed).toMatchObject([{ checked: 40, copied, unpaid: 3 }]);
        expect(w.notRepaired.map(({ of }) => of)).toEqual(
          [3, 20, 39].map((n) => `log-1/threat.samples/0/${n}`),
        );
      }
  });

  it('uses a copy that a custodian made as the source', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    await (await w.custodian()).round(running);
    w.store('zrh-1').objects.clear();
    w.orders.push(ORDER);
    await untilClosed(w);
    expect(w.closed).toMatchObject([{ checked: 1, copied: 1, unpaid: 0 }]);
  });

  it('is carried out once, also by a successor, and not for another region', async () => {
    const w = await worldOf(2);
    w.orders.push(ORDER, { ...ORDER, act: 'order-2', region: 'moscow' });
    await untilClosed(w);
    await (await w.custodian()).round(running);
    expect(w.closed.map(({ order }) => order)).toEqual(['order-1']);
    expect((await (await w.custodian()).round(running)).repairs).toEqual([]);
  });

  it('waits while the site is away, and goes on', async () => {
    const w = await worldOf(2);
    w.away.add('zrh-1');
    w.orders.push(ORDER);
    const custodian = await w.custodian();
    const { repairs, waiting, busy } = await custodian.round(running);
    expect([repairs.length, [...waiting.keys()], busy]).toEqual([1, ['zrh-1'], false]);
    w.away.clear();
    w.elapsed += 60_000;
    await custodian.round(running);
    expect(w.closed).toHaveLength(1);
  });

  it('reads no more in a second than it says', async () => {
    const w = await worldOf();
    w.orders.push({ ...ORDER, perSecond: 16 });
    const custodian = await w.custodian();
    const checked: number[] = [];
    for (let second = 0; second < 4; second += 1) {
      const { repairs, busy } = await custodian.round(running);
      expect(busy).toBe(false);
      checked.push(repairs[0]?.checked ?? 40);
      w.elapsed += 1_000;
    }
    expect(checked).toEqual([0, 16, 32, 40]);
  });

  it('comes back to a copy whose place an unsettled record has, and checks the others meanwhile', async () => {
    const w = await worldOf(40);
    const whole = new Map(w.store('zrh-1').objects);
    harm(w, [0, 34]);
    const settle = await w.placed('n-0');
    w.orders.push(ORDER);
    const custodian = await w.custodian();
    for (let round = 0; round < 3; round += 1)
      expect((await custodian.round(running)).repairs).toMatchObject([
        { checked: 40, copied: 1, unpaid: 0 },
      ]);
    settle();
    await custodian.round(running);
    expect(w.closed).toMatchObject([{ checked: 40, copied: 2, unpaid: 0 }]);
    expect(w.store('zrh-1').objects).toEqual(whole);
    expect(w.events.at(-1)?.data.setAside).toBeDefined();
    expect(w.notRepaired).toEqual([]);
  });

  it('does not wait for ever for a record that is not settled', async () => {
    const w = await worldOf(2);
    w.store('zrh-1').objects.delete(keyOf('n-0'));
    await w.placed('n-0');
    w.orders.push(ORDER);
    await untilClosed(w);
    expect(w.closed).toMatchObject([{ checked: 2, copied: 0, unpaid: 1 }]);
    expect(w.notRepaired).toMatchObject([{ code: 'STRANGER_UNSETTLED' }]);
  });

  it('comes back after the site or the source was away', async () => {
    for (const away of ['zrh-1', 'zrh-2']) {
      const w = await worldOf(2);
      for (const n of [0, 1]) w.store('zrh-1').objects.delete(keyOf(`n-${n}`));
      const settle = [await w.placed('n-0'), await w.placed('n-1')];
      w.orders.push(ORDER);
      const custodian = await w.custodian();
      await custodian.round(running);
      for (const each of settle) each();
      w.away.add(away);
      await custodian.round(running);
      expect(w.closed).toEqual([]);
      w.away.clear();
      w.elapsed += 60_000;
      await custodian.round(running);
      expect(w.closed).toMatchObject([{ checked: 2, copied: 2, unpaid: 0 }]);
    }
  });

  it('does not hold up what is owed', async () => {
    const w = await worldOf(600);
    w.orders.push(ORDER);
    const custodian = await w.custodian();
    expect((await custodian.round(running)).busy).toBe(true);
    await w.stored('late', ['zrh-2']);
    expect((await custodian.round(running)).debts.get('zrh-2')).toEqual({ owed: 0 });
  });
});

describe.each(['fail', 'fail-but-persist'] as const)('a call that ends as %s', (kind) => {
  it.each(Array.from({ length: 16 }, (_, nth) => nth))(
    'call %i: repaired all the same, each once',
    async (nth) => {
      const w = await worldOf(4);
      const whole = new Map(w.store('zrh-1').objects);
      harm(w, [0, 1, 2]);
      w.orders.push(ORDER);
      let count = 0;
      w.wrap = (site) =>
        new FaultyCustodianSite(site, () => {
          count += 1;
          return count - 1 === nth ? kind : 'pass';
        });
      await untilClosed(w);
      expect(w.store('zrh-1').objects).toEqual(whole);
      expect(w.closed).toHaveLength(1);
      expect(w.closed[0]).toMatchObject({ checked: 4, unpaid: 0 });
    },
  );
});

it('a custodian that is killed while it appends has a successor that closes the order', async () => {
  for (const kind of ['fail', 'fail-but-persist'] as const) {
    const w = await worldOf(4);
    harm(w, [0, 1, 2]);
    w.orders.push(ORDER);
    w.appendFaults = [kind];
    await untilClosed(w);
    expect(w.closed).toHaveLength(1);
    expect(w.all.map(({ sequence }) => sequence)).toEqual(w.all.map((_, index) => index));
  }
});

it('an order is refused with one closing event if the site is no site of the region', async () => {
  const w = await worldOf(1);
  // As a store of another region: its marker ends the process that opens it.
  const opened: string[] = [];
  const sites = {
    site: async (name: string) => {
      opened.push(name);
      throw new CodedError({ code: 'WRONG_MARKER', message: 'another region', remedy: 'stop' });
    },
  };
  w.orders.push({ ...ORDER, site: 'mow-1' }, { ...ORDER, act: 'order-2', site: 'nowhere' });
  const custodian = await w.custodian({ sites });
  await custodian.round(running);
  await custodian.round(running);
  await (await w.custodian({ sites })).round(running);
  const refused = 'SITE_NOT_OF_REGION';
  expect(w.closed).toMatchObject([
    { order: 'order-1', site: 'mow-1', checked: 0, refused },
    { order: 'order-2', site: 'nowhere', checked: 0, refused },
  ]);
  expect(opened).toEqual([]);
});
