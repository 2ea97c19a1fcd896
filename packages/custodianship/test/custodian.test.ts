import { setImmediate } from 'node:timers/promises';
import { CodedError } from '@residency/coded-error';
import {
  ALL_IN_SERVICE,
  SAMPLE_COPIED,
  custodyDigest,
  encodeCustodyEvent,
  sha256,
} from '@residency/contracts';
import type { CustodianSite } from '@residency/custodianship';
import type { StoredSample } from '@residency/custody';
import { describe, expect, it } from 'vitest';
import { MemoryRegisterStore } from '@residency/testkit';
import { CustodyWorld, NOW, keyOf } from './custody-world.ts';

const running = new AbortController().signal;

describe('a site that lacks a copy', () => {
  it('gets the ciphertext that the event names, with its metadata, and one event for it', async () => {
    const w = new CustodyWorld();
    const event = await w.stored('x', ['zrh-2']);
    const report = await (await w.custodian()).round(running);
    expect(report).toMatchObject({ copied: 1, unpaid: new Map(), waiting: new Map() });
    expect(w.store('zrh-2').objects.get(keyOf('x'))).toEqual(
      w.store('zrh-1').objects.get(keyOf('x')),
    );
    expect(w.events).toMatchObject([
      { sequence: 0, data: { previous: null, from: 'zrh-1', copy: { site: 'zrh-2' } } },
    ]);
    expect(w.read(event)).toEqual({ in: ['zrh-1', 'zrh-2'], owed: [], findings: [] });
  });

  it('is owed it for as long as the site is away, and is tried less and less often', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    w.away.add('zrh-2');
    const custodian = await w.custodian();
    const { debts, waiting } = await custodian.round(running);
    expect(debts.get('zrh-2')).toEqual({ owed: 1, oldestAt: NOW });
    expect(waiting.get('zrh-2')).toMatchObject({ code: 'SITE_UNREACHABLE' });
    w.away.clear();
    expect((await custodian.round(running)).copied).toBe(0);
    w.elapsed = 1_000;
    expect(await custodian.round(running)).toMatchObject({ copied: 1, waiting: new Map() });
    expect(custodian.report().debts.get('zrh-2')).toEqual({ owed: 0 });
  });

  it('is not said to owe nothing before the audit log was looked through', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    w.away.add('zrh-2');
    const custodian = await w.custodian();
    expect(custodian.report().complete).toBe(false);
    const stopping = new AbortController();
    stopping.abort();
    expect((await custodian.round(stopping.signal)).complete).toBe(false);
    expect((await custodian.round(running)).complete).toBe(true);
    // A new site: what it owes is not known yet.
    w.policy(['zrh-1', 'zrh-2', 'zrh-3']);
    expect((await custodian.round(stopping.signal)).complete).toBe(false);
    expect(await custodian.round(running)).toMatchObject({ complete: true, copied: 1 });
  });

  it('waits for the site that has the sample, if that is away', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    w.away.add('zrh-1');
    const { copied, waiting } = await (await w.custodian()).round(running);
    expect([copied, [...waiting.keys()]]).toEqual([0, ['zrh-1']]);
  });

  it('is found however many events are read at once, and paid in order', async () => {
    const w = new CustodyWorld();
    for (let n = 0; n < 50; n += 1) await w.stored(`n-${n}`, n % 3 === 0 ? ['zrh-2'] : []);
    expect((await (await w.custodian()).round(running)).copied).toBe(17);
    expect(w.events.map(({ data }) => Number(data.of.split('/')[3]))).toEqual(
      Array.from({ length: 17 }, (_, index) => index * 3),
    );
    for (const [index, { sequence, data }] of w.events.entries()) {
      expect(sequence).toBe(index);
      const before = w.custody[index - 1];
      expect(data.previous).toBe(before === undefined ? null : custodyDigest(before));
    }
  });

  it('that a later policy version adds is filled', async () => {
    const w = new CustodyWorld();
    const [x, y] = [await w.stored('x'), await w.stored('y', ['zrh-2'])];
    const custodian = await w.custodian();
    await custodian.round(running);
    w.policy(['zrh-1', 'zrh-2', 'zrh-3']);
    expect((await custodian.round(running)).copied).toBe(2);
    for (const event of [x, y])
      expect(w.read(event, ['zrh-1', 'zrh-2', 'zrh-3'])).toMatchObject({ owed: [], findings: [] });
  });
});

describe('a copy that is there already', () => {
  it('gets its event and is not written again', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    const found = w.store('zrh-1').objects.get(keyOf('x'));
    if (found !== undefined) w.store('zrh-2').objects.set(keyOf('x'), found);
    expect((await (await w.custodian()).round(running)).copied).toBe(1);
    expect(w.store('zrh-2').objects.get(keyOf('x'))).toBe(found);
    expect(w.events[0]?.data.setAside).toBeUndefined();
  });

  it('has no second event after a restart', async () => {
    const w = new CustodyWorld();
    const event = await w.stored('x', ['zrh-2']);
    await (await w.custodian()).round(running);
    expect((await (await w.custodian()).round(running)).copied).toBe(0);
    expect(w.read(event).findings).toEqual([]);
  });
});

describe('something else under the key', () => {
  const damaged = (w: CustodyWorld, change: (bytes: Uint8Array) => Uint8Array): Buffer => {
    const found = w.store('zrh-1').objects.get(keyOf('x'));
    if (found === undefined) throw new Error('nothing stored');
    const bytes = Buffer.from(change(Uint8Array.from(found.sealed)));
    w.store('zrh-2').objects.set(keyOf('x'), { metadata: found.metadata, sealed: bytes });
    return bytes;
  };

  it.each([
    ['a flipped bit', (bytes: Uint8Array) => bytes.with(3, (bytes[3] ?? 0) ^ 1)],
    ['a cut', (bytes: Uint8Array) => bytes.slice(0, 5)],
  ])('is kept aside before it is replaced: %s', async (_, change) => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    const bytes = damaged(w, change);
    await (await w.custodian()).round(running);
    const aside = w.events[0]?.data.setAside;
    expect(aside?.sha256).toBe(sha256(bytes));
    expect(Buffer.from(w.store('zrh-2').others.get(aside?.key ?? '')?.sealed ?? [])).toEqual(bytes);
    expect(w.store('zrh-2').objects.get(keyOf('x'))).toEqual(
      w.store('zrh-1').objects.get(keyOf('x')),
    );
  });

  it('is replaced if it is another ciphertext of the same record', async () => {
    const w = new CustodyWorld();
    const event = await w.stored('x');
    if (event.outcome !== 'stored') throw new Error('not stored');
    const [first, second] = event.data.placements;
    if (first === undefined || second === undefined) throw new Error('one site only');
    const other = Buffer.from('sealed anew by a second attempt');
    const metadata = w.store('zrh-2').objects.get(keyOf('x'))?.metadata;
    if (metadata === undefined) throw new Error('no metadata');
    w.store('zrh-2').objects.set(keyOf('x'), {
      metadata: { ...metadata, sealedSha256: sha256(other) },
      sealed: other,
    });
    const unequal = {
      ...event,
      data: {
        ...event.data,
        placements: [first, { ...second, sealedSha256: sha256(other), sealedBytes: other.length }],
      },
    };
    w.audit[0] = w.encode(unequal);
    expect((await (await w.custodian()).round(running)).copied).toBe(1);
    expect(w.store('zrh-2').objects.get(keyOf('x'))?.metadata.sealedSha256).toBe(
      first.sealedSha256,
    );
    expect(w.read(unequal)).toEqual({ in: ['zrh-1', 'zrh-2'], owed: [], findings: [] });
  });

  it('is never displaced if it is another stored sample', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    // Zurich lost the first object, and the next record was stored anew.
    w.store('zrh-1').objects.clear();
    const second = await w.stored('x', []);
    expect(second.outcome).toBe('stored');
    const report = await (await w.custodian()).round(running);
    expect(report.copied).toBe(0);
    expect([...report.unpaid]).toEqual([['NO_GOOD_COPY', 1]]);
    expect(report.debts.get('zrh-2')).toMatchObject({ owed: 1 });
    expect(w.store('zrh-2').objects.get(keyOf('x'))?.metadata.position).toBe(
      'log-1/threat.samples/0/1',
    );
  });
});

it('has an event if it is the only one left: its custodian was killed before the event', async () => {
  const w = new CustodyWorld();
  const event = await w.stored('x', ['zrh-2']);
  const copy = w.store('zrh-1').objects.get(keyOf('x'));
  if (copy !== undefined) w.store('zrh-2').objects.set(keyOf('x'), copy);
  w.store('zrh-1').objects.clear();
  expect(await (await w.custodian()).round(running)).toMatchObject({
    copied: 1,
    unpaid: new Map(),
  });
  expect(w.events.map(({ data: { from, copy: to } }) => [from, to.site])).toEqual([
    ['zrh-2', 'zrh-2'],
  ]);
  expect(w.read(event)).toEqual({ in: ['zrh-1', 'zrh-2'], owed: [], findings: [] });
});

it('is made from a copy of a custodian if no site that the event names has one any more', async () => {
  const w = new CustodyWorld();
  await w.stored('x', ['zrh-2']);
  w.policy(['zrh-1', 'zrh-2', 'zrh-3']);
  w.away.add('zrh-2');
  const custodian = await w.custodian();
  expect((await custodian.round(running)).copied).toBe(1);
  w.store('zrh-1').objects.clear();
  w.away.clear();
  w.elapsed = 60_000;
  expect(await custodian.round(running)).toMatchObject({ copied: 1, unpaid: new Map() });
  expect(w.events.map(({ data: { from, copy: to } }) => [from, to.site])).toEqual([
    ['zrh-1', 'zrh-3'],
    ['zrh-3', 'zrh-2'],
  ]);
});

describe('a copy that cannot be made', () => {
  it('is looked at again after a minute, and not in each round', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    const kept = w.store('zrh-1').objects.get(keyOf('x'));
    w.store('zrh-1').objects.clear();
    const custodian = await w.custodian();
    expect([...(await custodian.round(running)).unpaid]).toEqual([['NO_GOOD_COPY', 1]]);
    if (kept !== undefined) w.store('zrh-1').objects.set(keyOf('x'), kept);
    expect((await custodian.round(running)).copied).toBe(0);
    w.elapsed = 60_000;
    expect(await custodian.round(running)).toMatchObject({ copied: 1, unpaid: new Map() });
  });
});

describe('what one debt holds does not keep the others waiting', () => {
  const unreadable = (site: CustodianSite, key: string): CustodianSite => ({
    ...bound(site),
    read: async (asked) => {
      if (asked !== key) return await site.read(asked);
      throw new CodedError({ code: 'OBJECT_NOT_A_FILE', message: 'a folder', remedy: 'park' });
    },
  });

  it.each(['zrh-1', 'zrh-2'])('an object in %s that cannot be read', async (broken) => {
    const w = new CustodyWorld();
    for (const id of ['x', 'y', 'z']) await w.stored(id, ['zrh-2']);
    w.wrap = (site) => (site.site === broken ? unreadable(site, keyOf('y')) : site);
    const { copied, unpaid, debts } = await (await w.custodian()).round(running);
    expect([copied, debts.get('zrh-2')?.owed]).toEqual([2, 1]);
    expect([...unpaid.values()]).toEqual([1]);
  });

  it('a source that is away', async () => {
    const w = new CustodyWorld(['zrh-1', 'zrh-2', 'zrh-3']);
    await w.stored('x', ['zrh-2', 'zrh-3']);
    for (let n = 0; n < 40; n += 1) await w.stored(`n-${n}`, ['zrh-3']);
    w.away.add('zrh-1');
    const { copied, waiting, debts } = await (await w.custodian()).round(running);
    expect([copied, [...waiting.keys()]]).toEqual([40, ['zrh-1']]);
    expect([debts.get('zrh-2')?.owed, debts.get('zrh-3')?.owed]).toEqual([1, 1]);
  });
});

describe('a copy whose source is lost', () => {
  it('counts if its site has it already', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    const found = w.store('zrh-1').objects.get(keyOf('x'));
    if (found !== undefined) w.store('zrh-2').objects.set(keyOf('x'), found);
    w.store('zrh-1').objects.clear();
    expect(await (await w.custodian()).round(running)).toMatchObject({
      copied: 1,
      unpaid: new Map(),
    });
  });

  it('stays reported while it is looked at again, and while the site is away', async () => {
    const w = new CustodyWorld();
    await w.stored('x', ['zrh-2']);
    w.store('zrh-1').objects.clear();
    const custodian = await w.custodian();
    await custodian.round(running);
    w.away.add('zrh-2');
    w.elapsed = 61_000;
    const { unpaid, debts } = await custodian.round(running);
    expect([[...unpaid], debts.get('zrh-2')?.owed]).toEqual([[['NO_GOOD_COPY', 1]], 1]);
  });
});

it('an event whose number was there before changes nothing', async () => {
  const w = new CustodyWorld();
  for (const id of ['x', 'y', 'z']) await w.stored(id, ['zrh-2']);
  const custodian = await w.custodian();
  await custodian.round(running);
  const [first] = w.custody;
  if (first !== undefined) w.custody.push(first);
  await w.stored('later', ['zrh-2']);
  await (await w.custodian()).round(running);
  expect(w.events.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 0, 3]);
});

it('stops reading soon after it is told to', async () => {
  const w = new CustodyWorld();
  for (let n = 0; n < 40; n += 1) await w.stored(`n-${n}`, ['zrh-2']);
  const stopping = new AbortController();
  const custodian = await w.custodian({
    copied: () => {
      stopping.abort();
    },
  });
  expect((await custodian.round(stopping.signal)).copied).toBe(16);
});

it('of two custodians only the one that opened last appends', async () => {
  const w = new CustodyWorld();
  await w.stored('x', ['zrh-2']);
  const frozen = await w.custodian();
  const next = await w.custodian();
  expect((await next.round(running)).copied).toBe(1);
  await expect(frozen.round(running)).rejects.toMatchObject({ code: 'FENCED' });
  expect(w.events).toHaveLength(1);
});

describe('a copied event of somebody else, whose ciphertext is not the holding’s', () => {
  /** As whoever may write to the custody log could append it. */
  async function claimed(over: {
    sealedSha256?: string;
    submission?: string;
  }): Promise<CustodyWorld> {
    const w = new CustodyWorld();
    const event = await w.stored('x', ['zrh-2']);
    if (event.outcome !== 'stored') throw new TypeError('not stored');
    const [placement] = event.data.placements;
    if (placement === undefined) throw new TypeError('no placement');
    const submission = over.submission ?? event.data.submission;
    const { key, sealedBytes, wrappingKey, sealedSha256 } = placement;
    const copy = { site: 'zrh-2', key, sealedBytes, wrappingKey };
    w.custody.push(
      encodeCustodyEvent({
        log: 'log-1',
        sequence: 0,
        at: 0,
        type: SAMPLE_COPIED,
        data: {
          previous: null,
          of: 'log-1/threat.samples/0/0',
          submission,
          region: 'zurich',
          from: 'zrh-1',
          copy: { ...copy, sealedSha256: over.sealedSha256 ?? sealedSha256 },
        },
      }),
    );
    return w;
  }

  it.each([
    ['another ciphertext', { sealedSha256: sha256(Buffer.from('other')) }],
    ['another sample', { submission: sha256(Buffer.from('other')) }],
  ])('%s: is reported and pays nothing; the custodian does, once', async (_, over) => {
    const w = await claimed(over);
    const differs: unknown[] = [];
    const custodian = await w.custodian({ differs: (copy) => differs.push(copy) });
    const { copied, debts } = await custodian.round(running);
    expect([copied, debts.get('zrh-2')]).toEqual([1, { owed: 0 }]);
    expect(differs).toEqual([{ site: 'zrh-2', position: 'log-1/threat.samples/0/0' }]);
    expect(w.store('zrh-2').objects).toEqual(w.store('zrh-1').objects);
    const successor = await w.custodian();
    expect((await successor.round(running)).copied).toBe(0);
    expect(w.events).toHaveLength(2);
  });

  it('one that names the holding’s pays', async () => {
    const w = await claimed({});
    const { copied, debts } = await (await w.custodian()).round(running);
    expect([copied, debts.get('zrh-2')]).toEqual([0, { owed: 0 }]);
  });
});

it('ignores what is no event, and events of other regions', async () => {
  const w = new CustodyWorld();
  w.custody.push(Buffer.from('no event'));
  w.audit.push(Buffer.from('no event'), Buffer.alloc(0));
  await w.stored('x', ['zrh-2']);
  const custodian = await w.custodian();
  expect((await custodian.round(running)).copied).toBe(1);
  expect(custodian.passedOver).toBe(1);
});

describe('the access desk', () => {
  it('has the sites in service before the first round', async () => {
    const w = new CustodyWorld();
    expect((await w.custodian()).accesses.serving()).toEqual(['zrh-1', 'zrh-2']);
  });

  it('has the sites of now, not those of the register, before the first round', async () => {
    const w = new CustodyWorld();
    await w.stored('x');
    const register = {
      store: new MemoryRegisterStore(),
      topics: {},
      passedOver: (code: string) => expect.unreachable(code),
      opened: () => undefined,
      saved: () => undefined,
      failed: (error: unknown) => expect.unreachable(String(error)),
    };
    const first = await w.custodian({ register });
    await first.round(running);
    await first.keep();
    w.control = {
      ...w.control,
      services: { zurich: { ...ALL_IN_SERVICE, out: new Map([['zrh-2', 1]]) } },
    };
    const { accesses } = await w.custodian({ register });
    expect(accesses.serving()).toEqual(['zrh-1']);
    expect(accesses.sitesWith(storedIn(['zrh-1', 'zrh-2']))).toEqual(['zrh-1']);
  });

  it('confirms once for all that ask before the confirmation begins, and anew for who asks later', async () => {
    const w = new CustodyWorld();
    let [begun, ended] = [0, 0];
    const confirm = async (): Promise<void> => {
      begun += 1;
      await setImmediate();
      ended += 1;
    };
    const { accesses } = await w.custodian({ custody: { ...w.open(), confirm } });
    const first = accesses.confirm();
    await Promise.all([accesses.confirm(), accesses.confirm()]);
    await first;
    expect(begun).toBeLessThanOrEqual(2);
    await Promise.all([accesses.confirm(), accesses.confirm(), accesses.confirm()]);
    expect(begun).toBeLessThanOrEqual(3);
    const running = accesses.confirm();
    await expect.poll(() => begun).toBe(ended + 1);
    const [before, late] = [begun, accesses.confirm()];
    await Promise.all([running, late]);
    expect(begun).toBe(before + 1);
  });

  it('names no site that no policy version gives the region: its marker is another’s', async () => {
    const { accesses } = await new CustodyWorld().custodian();
    expect(accesses.sitesWith(storedIn(['zrh-1', 'msk-1']))).toEqual(['zrh-1']);
  });
});

function storedIn([first = '', ...others]: readonly string[]): StoredSample {
  const sealed = { sealedSha256: sha256(Buffer.from('sealed')), sealedBytes: 6 };
  return {
    position: 'log-1/threat.samples/0/0',
    submission: sha256(Buffer.from('submission')),
    region: 'zurich',
    placements: [{ site: first, ...sealed }, ...others.map((site) => ({ site, ...sealed }))],
  };
}

function bound(site: CustodianSite): CustodianSite {
  return {
    site: site.site,
    read: (key) => site.read(key),
    metadata: (key) => site.metadata(key),
    create: (copy) => site.create(copy),
    replace: (copy, found) => site.replace(copy, found),
    setAside: (submission, found) => site.setAside(submission, found),
    purge: (...purged) => site.purge(...purged),
    flush: () => site.flush(),
  };
}
