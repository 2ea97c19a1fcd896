import { isDeepStrictEqual } from 'node:util';
import { sha256 } from '@residency/contracts';
import { FaultyCustodianSite, faultAt } from '@residency/testkit';
import type { StoreFault } from '@residency/testkit';
import { describe, expect, it } from 'vitest';
import { CustodyWorld, keyOf } from './custody-world.ts';
import type { AppendFault } from './custody-world.ts';

const running = new AbortController().signal;
const KINDS = ['fail', 'fail-but-persist'] as const;

/**
 * Three debts of zrh-2: nothing under the key, damaged bytes under it, and the copy itself. One call
 * of a site breaks, counted over both sites.
 */
async function worldOfThree(): Promise<CustodyWorld> {
  const w = new CustodyWorld();
  for (const id of ['absent', 'damaged', 'there']) await w.stored(id, ['zrh-2']);
  const [damaged, there] = ['damaged', 'there'].map((id) =>
    w.store('zrh-1').objects.get(keyOf(id)),
  );
  if (damaged === undefined || there === undefined) throw new Error('nothing stored');
  const sealed = Buffer.from(damaged.sealed).fill(0, 0, 2);
  w.store('zrh-2').objects.set(keyOf('damaged'), { metadata: damaged.metadata, sealed });
  w.store('zrh-2').objects.set(keyOf('there'), there);
  return w;
}

/** Runs until nothing is owed, with a new custodian after every error, as after a kill. */
async function untilPaid(w: CustodyWorld): Promise<number> {
  for (let restarts = 0; restarts < 10; restarts += 1) {
    try {
      const custodian = await w.custodian();
      for (let rounds = 0; rounds < 10; rounds += 1) {
        const { debts } = await custodian.round(running);
        if ((debts.get('zrh-2')?.owed ?? 1) === 0) return restarts;
        w.elapsed += 60_000;
      }
    } catch {
      // Killed, or fenced: another one begins.
    }
  }
  throw new Error('still owed');
}

/** What is at rest once everything is paid. */
function stateOf(w: CustodyWorld) {
  return {
    of: w.events.map(({ data }) => data.of).toSorted(),
    sequence: w.events.map(({ sequence }) => sequence),
    equal: isDeepStrictEqual(w.store('zrh-2').objects, w.store('zrh-1').objects),
    kept: [...w.store('zrh-2').others.values()].map(({ sealed }) => sha256(sealed)),
  };
}

/** Each debt has one event, the sites are equal, and what was replaced is kept. */
const paid = (damaged: Uint8Array | undefined) => ({
  of: [0, 1, 2].map((offset) => `log-1/threat.samples/0/${offset}`),
  sequence: [0, 1, 2],
  equal: true,
  kept: [sha256(damaged ?? new Uint8Array())],
});

/** The number of calls of a whole run. */
async function callsOf(): Promise<number> {
  const w = await worldOfThree();
  const sites: FaultyCustodianSite[] = [];
  w.wrap = (site) => {
    const faulty = new FaultyCustodianSite(site, () => 'pass');
    sites.push(faulty);
    return faulty;
  };
  await untilPaid(w);
  return sites.reduce((sum, { calls }) => sum + calls.length, 0);
}

describe('one call of a site breaks', async () => {
  const calls = await callsOf();
  const cases = Array.from({ length: calls }, (_, nth) =>
    KINDS.map((kind) => [nth, kind] as const),
  );
  it.each(cases.flat())('call %i: %s', async (nth, kind: StoreFault) => {
    const w = await worldOfThree();
    const damaged = w.store('zrh-2').objects.get(keyOf('damaged'))?.sealed;
    let count = 0;
    w.wrap = (site) => {
      const counted = (): StoreFault => {
        count += 1;
        return count - 1 === nth ? kind : 'pass';
      };
      return new FaultyCustodianSite(site, counted);
    };
    await untilPaid(w);
    expect(stateOf(w)).toEqual(paid(damaged));
  });
});

describe('the append of the events breaks', () => {
  it.each<AppendFault>(['fail', 'fail-but-persist'])('%s', async (kind) => {
    const w = await worldOfThree();
    const damaged = w.store('zrh-2').objects.get(keyOf('damaged'))?.sealed;
    w.appendFaults = [kind];
    expect(await untilPaid(w)).toBe(1);
    expect(stateOf(w)).toEqual(paid(damaged));
  });
});

describe('the good copy is never written to', () => {
  it('whatever the site that owes a copy answers', async () => {
    const w = await worldOfThree();
    const good = new Map(w.store('zrh-1').objects);
    let broken = false;
    w.wrap = (site) => {
      if (site.site !== 'zrh-2' || broken) return site;
      broken = true;
      return new FaultyCustodianSite(site, faultAt(0, 'fail-but-persist'));
    };
    await untilPaid(w);
    expect(w.store('zrh-1').objects).toEqual(good);
    expect(w.store('zrh-1').others.size).toBe(0);
  });
});
