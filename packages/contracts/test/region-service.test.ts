import {
  ALL_IN_SERVICE,
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  ARBITER_KEPT,
  CLAIMS_ENDED,
  INITIAL_CONTROL,
  SITE_IN,
  SITE_OUT,
  SITE_RETIRED,
  ServiceHistory,
  awaitedSites,
  controlEntry,
  evolveControl,
  followControl,
  hasClaim,
  serviceOf,
  sitesInService,
  sitesLeaving,
  sitesOut,
} from '@residency/contracts';
import type { ControlEvent, ControlState, RegionService } from '@residency/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SALT } from './arbitraries.ts';

const REGION = 'zurich';
const SITES = ['a', 'b', 'c'];
const claim = {
  submission: '1'.repeat(64),
  of: 'log-1/threat.samples/0/1',
  sampleSha256: '2'.repeat(64),
  country: 'CH',
};
const closing = (act: string, site: string, next: string): ControlEvent => ({
  type: ARBITER_CLOSING,
  data: { act, region: REGION, site, next, reason: 'fire' },
});
const claims = (act: string, attempt: string, count = 1): ControlEvent => ({
  type: ARBITER_CLAIMS,
  data: { act, region: REGION, attempt, claims: Array.from({ length: count }, () => claim) },
});
const changed = (act: string, attempt: string, count: number, next = 'b'): ControlEvent => ({
  type: ARBITER_CHANGED,
  data: { act, region: REGION, next, attempt, claims: count, unheld: 0 },
});
const kept = (act: string): ControlEvent => ({
  type: ARBITER_KEPT,
  data: { act, region: REGION, reason: 'aborted' },
});
const out = (site: string): ControlEvent => ({
  type: SITE_OUT,
  data: { act: 'o', region: REGION, site, reason: 'fire' },
});
const into = (site: string): ControlEvent => ({
  type: SITE_IN,
  data: { act: 'i', region: REGION, site },
});
const retired = (site: string): ControlEvent => ({
  type: SITE_RETIRED,
  data: { act: 'r', region: REGION, site, reason: 'the lease ended', samples: 3 },
});

function after(...events: readonly ControlEvent[]): RegionService {
  const state = events.reduce<ControlState>(
    (before, event, index) => evolveControl(before, event, index + 1),
    INITIAL_CONTROL,
  );
  return serviceOf(state, REGION);
}
const serving = (...events: readonly ControlEvent[]): readonly string[] =>
  sitesInService(after(...events), SITES);

const ended = (...owners: readonly string[]): ControlEvent => ({
  type: CLAIMS_ENDED,
  data: { act: 'e', region: REGION, owners: [...owners] },
});

describe('the claims of lost samples', () => {
  const change = [closing('1', 'a', 'b'), claims('1', 'x'), changed('1', 'x', 1)];

  it('end, and no other claim of the identity does', () => {
    expect(after(...change, ended(claim.of)).claims.size).toBe(0);
    expect(after(...change, ended('log-1/threat.samples/0/2')).claims.size).toBe(1);
    expect(after(ended(claim.of), ...change).claims.size).toBe(1);
  });

  it.each<[string, readonly ControlEvent[]]>([
    ['before the claims', [closing('1', 'a', 'b'), ended(claim.of), claims('1', 'x')]],
    ['after the claims', [closing('1', 'a', 'b'), claims('1', 'x'), ended(claim.of)]],
  ])('of an open change end with it: %s', (_, events) => {
    const { claims: left, number, closing: open } = after(...events, changed('1', 'x', 1));
    expect([left.size, number, open]).toEqual([0, 1, undefined]);
  });
});

describe('two claims of one identity', () => {
  const other = { ...claim, of: 'log-1/threat.samples/0/2' };
  const both: ControlEvent = {
    type: ARBITER_CLAIMS,
    data: { act: '1', region: REGION, attempt: 'x', claims: [claim, other] },
  };
  const [begun, done] = [closing('1', 'a', 'b'), changed('1', 'x', 2)];
  const owners = (...events: readonly ControlEvent[]): readonly string[] =>
    [...after(...events).claims.values()].map(({ of }) => of);

  it.each<[string, readonly ControlEvent[]]>([
    ['before the change', [begun, ended(other.of), both, done]],
    ['during the change', [begun, both, ended(other.of), done]],
    ['after the change', [begun, both, done, ended(other.of)]],
    ['after a change that was kept', [begun, both, done, closing('2', 'b', 'a'), kept('2')]],
  ])('the last one counts, and the other one once it has ended: %s', (_, events) => {
    expect(owners(begun, both, done)).toEqual([other.of]);
    expect(owners(...events, ended(other.of))).toEqual([claim.of]);
    expect(owners(...events, ended(other.of), ended(claim.of))).toEqual([]);
  });

  it('end by their owner, whichever counts', () => {
    const service = after(begun, both, done);
    const stand = (found: RegionService): readonly boolean[] =>
      [claim, other].map(({ submission, of }) => hasClaim(found, { submission, position: of }));
    expect(stand(service)).toEqual([true, true]);
    expect(stand(after(begun, both, done, ended(claim.of)))).toEqual([false, true]);
    expect(owners(begun, both, done, ended(claim.of), ended(other.of))).toEqual([]);
    expect(hasClaim(service, { submission: '3'.repeat(64), position: claim.of })).toBe(false);
  });
});

describe('the sites in service', () => {
  it('are those of the policy, until an order says otherwise', () => {
    expect(after()).toEqual(ALL_IN_SERVICE);
    expect(serving()).toEqual(SITES);
    expect(serving(out('b'))).toEqual(['a', 'c']);
    expect(serving(out('b'), into('b'))).toEqual(SITES);
  });

  it('change their arbiter in two steps, and the former one comes back as a later site', () => {
    const change = [closing('1', 'a', 'b'), claims('1', 'x', 2), changed('1', 'x', 2)];
    expect(after(...change.slice(0, 2)).closing).toMatchObject({ act: '1', site: 'a', next: 'b' });
    expect(serving(...change.slice(0, 2))).toEqual(SITES);
    expect(after(...change)).toMatchObject({ number: 1, arbiter: 'b', out: new Map([['a', 3]]) });
    expect(after(...change).closing).toBeUndefined();
    expect([...after(...change).claims.values()]).toEqual([claim]);
    expect(serving(...change)).toEqual(['b', 'c']);
    expect(serving(...change, into('a'))).toEqual(['b', 'a', 'c']);
  });

  it.each<[string, readonly ControlEvent[]]>([
    ['an order without a closing', [changed('1', 'x', 0)]],
    ['an order of another change', [closing('1', 'a', 'b'), changed('2', 'x', 0), kept('1')]],
    ['an order after the abort', [closing('1', 'a', 'b'), kept('1'), changed('1', 'x', 0)]],
    [
      'an order whose claims did not all arrive',
      [closing('1', 'a', 'b'), claims('1', 'x', 1), changed('1', 'x', 2), kept('1')],
    ],
    [
      'an order for another next one',
      [closing('1', 'a', 'b'), changed('1', 'x', 0, 'c'), kept('1')],
    ],
    [
      'an order with the claims of another attempt',
      [closing('1', 'a', 'b'), claims('1', 'y', 1), changed('1', 'x', 1), kept('1')],
    ],
    ['a change to a site that is out', [out('b'), closing('1', 'a', 'b'), into('b')]],
    ['a change to the same site', [closing('1', 'a', 'a')]],
    ['a later site that is taken in twice', [out('b'), into('b'), into('b')]],
  ])('%s changes nothing', (_, events) => {
    expect(after(...events)).toEqual(ALL_IN_SERVICE);
  });

  it('a second change waits for the first one, and an abort of another ends nothing', () => {
    const first = closing('1', 'a', 'b');
    expect(after(first, closing('2', 'a', 'c'), kept('2')).closing?.act).toBe('1');
  });

  it('the arbiter stays among them, whatever an order says', () => {
    expect(serving(out('a'))).toEqual(SITES);
    const change = [closing('1', 'a', 'b'), changed('1', 'x', 0)];
    expect(serving(...change, out('b'))).toEqual(['b', 'c']);
    expect(serving(closing('1', 'a', 'b'), out('b'), changed('1', 'x', 0))).toEqual(['b', 'c']);
    expect(serving(closing('1', 'a', 'b'), out('b'), kept('1'))).toEqual(SITES);
  });

  it('the arbiter is one of them also if a policy version does not name it', () => {
    const change = [closing('1', 'a', 'b'), changed('1', 'x', 0)];
    expect(sitesInService(after(...change), ['a'])).toEqual(['b']);
    expect(sitesInService(after(...change, into('a')), ['a', 'c'])).toEqual(['b', 'a', 'c']);
  });

  it.each(['constructor', '__proto__', 'toString'])(
    'names that every object has are names like others: %s',
    (name) => {
      expect(after(closing(name, 'a', name), changed(name, name, 0, name))).toMatchObject({
        number: 1,
        arbiter: name,
      });
      expect(after(closing(name, 'a', name), changed(name, name, 1, name)).number).toBe(0);
      expect(sitesInService(after(out(name)), ['a', name])).toEqual(['a']);
      expect(sitesInService(after(), ['a', name])).toEqual(['a', name]);
    },
  );

  it('the arbiter leaves from the closing on, and stays if the change is ended otherwise', () => {
    const leaving = (...events: readonly ControlEvent[]): readonly string[] => [
      ...sitesLeaving(
        events.reduce<ControlState>(
          (state, event) => evolveControl(state, event, 1),
          INITIAL_CONTROL,
        ),
      ),
    ];
    const begun = closing('1', 'a', 'b');
    expect(leaving(begun)).toEqual(['a']);
    expect(leaving(begun, kept('1'))).toEqual([]);
    expect(leaving(begun, changed('1', 'x', 0))).toEqual(['a']);
    expect(leaving(begun, changed('1', 'x', 0), into('a'))).toEqual([]);
    // Who writes such an order must not stop the region: its arbiter serves all the same.
    expect(leaving(out('a'))).toEqual([]);
    expect(leaving(begun, out('b'), changed('1', 'x', 0))).toEqual(['a']);
  });

  it('a retired site is out, and nobody expects it back, until it is taken in again', () => {
    const orders = [out('b'), retired('c'), retired('b')];
    expect(serving(...orders)).toEqual(['a']);
    const state = orders
      .slice(0, 2)
      .reduce<ControlState>((before, event) => evolveControl(before, event, 1), INITIAL_CONTROL);
    expect([...sitesOut(state)]).toEqual(['b', 'c']);
    expect([...awaitedSites(state)]).toEqual(['b']);
    expect(serving(...orders, into('c'))).toEqual(['a', 'c']);
    expect(after(...orders, into('b'), into('c'))).toEqual(ALL_IN_SERVICE);
    const change = [closing('1', 'a', 'b'), retired('b')];
    expect(after(...change).retired.size).toBe(0);
    expect(after(...change, changed('1', 'x', 0), retired('b'))).toMatchObject({
      arbiter: 'b',
      retired: new Set(),
    });
    expect(after(retired('c'), ...change, kept('1')).retired).toEqual(new Set(['c']));
    expect(after(retired('c'), closing('1', 'a', 'b'), changed('1', 'x', 0)).retired).toEqual(
      new Set(['c']),
    );
  });

  it('other regions are not concerned', () => {
    const state = evolveControl(INITIAL_CONTROL, out('b'), 1);
    expect(serviceOf(state, 'moscow')).toEqual(ALL_IN_SERVICE);
    expect(serviceOf(state, 'constructor')).toEqual(ALL_IN_SERVICE);
  });
});

const attempts = fc.constantFrom('x', 'constructor', '__proto__');
const anEvent = fc.oneof(
  fc
    .tuple(fc.constantFrom('1', '2'), fc.constantFrom(...SITES), fc.constantFrom(...SITES))
    .map((args) => closing(...args)),
  fc.tuple(fc.constantFrom('1', '2'), attempts).map((args) => claims(...args)),
  fc
    .tuple(fc.constantFrom('1', '2'), attempts, fc.nat({ max: 2 }), fc.constantFrom(...SITES))
    .map((args) => changed(...args)),
  fc.constantFrom('1', '2').map(kept),
  fc.constantFrom(...SITES).map(out),
  fc.constantFrom(...SITES).map(into),
  fc.constantFrom(...SITES).map(retired),
);

describe('after any orders', () => {
  it('one site of the policy arbitrates, and the number grows only with the arbiter', () => {
    fc.assert(
      fc.property(fc.array(anEvent), (events) => {
        let before = after();
        for (let count = 1; count <= events.length; count += 1) {
          const now = after(...events.slice(0, count));
          const sites = sitesInService(now, SITES);
          expect(SITES).toContain(sites[0]);
          expect(new Set(sites).size).toBe(sites.length);
          for (const site of now.retired) expect([...now.out.keys()]).toContain(site);
          expect(now.number - before.number).toBe(
            events[count - 1]?.type === ARBITER_CHANGED && now.arbiter !== before.arbiter ? 1 : 0,
          );
          before = now;
        }
      }),
    );
  });

  it('the history says of the present number what the state says', () => {
    fc.assert(
      fc.property(fc.array(anEvent), (events) => {
        const history = new ServiceHistory();
        let state = INITIAL_CONTROL;
        for (const [index, event] of events.entries()) {
          const record = {
            ...controlEntry(event, String(index), SALT).record,
            topic: 'residency.control',
            partition: 0,
            offset: BigInt(index),
            at: index + 1,
          } as const;
          history.add(record);
          state = followControl(state, record);
        }
        const { number, arbiter, out: gone } = serviceOf(state, REGION);
        expect(history.of(REGION, number)?.arbiter).toBe(arbiter);
        for (const site of Object.keys(gone))
          expect(history.of(REGION, number)?.out).toContain(site);
        expect(history.of(REGION, number + 1)).toBeUndefined();
      }),
    );
  });
});
