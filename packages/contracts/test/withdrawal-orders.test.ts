import { evolve, gate } from '@residency/consent';
import type { ConsentEvent, ConsentHistory } from '@residency/consent';
import { SALT } from '@residency/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONTROL_PRINCIPAL,
  ErasureIndex,
  INITIAL_CONTROL,
  NAMED_IN_ORDER,
  NO_ERASURES,
  consentCloudEvent,
  consentEntry,
  controlEntry,
  evolveControl,
  readControlRecord,
  withdrawalOrders,
  withdrawalsIn,
} from '../src/index.ts';
import type { ControlEvent, ControlState, Erasures, LogRecord, Withdrawal } from '../src/index.ts';

const LOG = 'log-1';
const CONSENT = 'consent-0001';
const AT = Date.parse('2026-11-02T09:00:00.000Z');

const withdrawal = (offset: number, at: number, consentId = CONSENT): Withdrawal => ({
  consentId,
  at,
  position: `${LOG}/threat.consents/0/${offset}`,
});
const granted = (consentId = CONSENT): ConsentEvent => ({
  kind: 'granted',
  consentId,
  purposes: ['threat-sample-sharing'],
  termsVersion: '1',
});
const record = (event: ConsentEvent, offset: number, at: number): LogRecord => ({
  topic: 'threat.consents',
  partition: 0,
  offset: BigInt(offset),
  at,
  ...consentEntry(consentCloudEvent(event, { id: `e-${offset}`, source: 'urn:test' }), SALT).record,
});

/** What the control log says after these orders, as it is read back. */
function after(orders: readonly ControlEvent[], before: Erasures = NO_ERASURES): Erasures {
  const state = orders.reduce<ControlState>(
    (control, order) =>
      evolveControl(control, readControlRecord(controlEntry(order, 'id', SALT).record), AT),
    { ...INITIAL_CONTROL, erasures: before },
  );
  return state.erasures ?? NO_ERASURES;
}
const actsOf = (orders: readonly ControlEvent[]): readonly unknown[] =>
  orders.map(({ data }) => ('act' in data ? data.act : undefined));
const namedIn = ({ orders }: Erasures): readonly number[] =>
  orders.map(({ consents }) => consents.length);

describe('withdrawals', () => {
  it('are found among the records of the consent log, with time and position', () => {
    const broken = { ...record(granted(), 2, 3), value: Buffer.from('none') };
    const records = [
      record(granted(), 0, 1),
      record({ kind: 'withdrawn', consentId: CONSENT }, 1, 2),
      broken,
    ];
    expect(withdrawalsIn(LOG, records)).toEqual([withdrawal(1, 2)]);
  });
});

describe('the orders of withdrawals', () => {
  it('name the consents, each up to its withdrawal, and nobody', () => {
    const orders = withdrawalOrders([withdrawal(3, AT), withdrawal(4, AT + 1, 'consent-0002')]);
    expect(orders).toEqual([
      {
        type: 'residency.erasure.ordered.v1',
        principal: 'withdrawal',
        data: {
          act: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-/),
          reason: 'consent withdrawn',
          consents: [
            { consentId: CONSENT, before: '2026-11-02T09:00:00.000Z' },
            { consentId: 'consent-0002', before: '2026-11-02T09:00:00.001Z' },
          ],
        },
      },
    ]);
    expect(orders[0]?.principal).toMatch(CONTROL_PRINCIPAL);
  });

  it('have the acts that they had before, and others for other withdrawals', () => {
    const one = [withdrawal(3, AT)];
    expect(actsOf(withdrawalOrders(one))).toEqual(actsOf(withdrawalOrders(one)));
    const others = [
      [withdrawal(4, AT)],
      [withdrawal(3, AT, 'consent-0002')],
      // An act that was used for fewer would order nothing of the second one.
      [withdrawal(3, AT), withdrawal(4, AT, 'consent-0002')],
    ];
    expect(new Set([one, ...others].flatMap((each) => actsOf(withdrawalOrders(each)))).size).toBe(
      4,
    );
  });

  it.each([
    ['the same time', '2026-11-02T09:00:00.000Z', 0],
    ['a later time', '2026-11-03', 0],
    ['an earlier time', '2026-11-02T08:59:59.999Z', 1],
  ])('are none for a consent that is ordered up to %s', (_, before, expected) => {
    const order = { act: '', at: AT, reason: '', submissions: [] };
    const erasures = {
      holds: [],
      orders: [
        { ...order, consents: [{ consentId: CONSENT, before }] },
        { ...order, consents: [{ consentId: 'consent-0002', before: '2027-01-01' }] },
      ],
    };
    expect(withdrawalOrders([withdrawal(3, AT)], erasures)).toHaveLength(expected);
  });

  it('are not covered by an order for one region', () => {
    const withdrawn = [withdrawal(0, AT)];
    const inRegion = (region?: string): Erasures => ({
      ...NO_ERASURES,
      orders: after(withdrawalOrders(withdrawn)).orders.map((order) =>
        region === undefined ? order : { ...order, region },
      ),
    });
    expect(withdrawalOrders(withdrawn, inRegion())).toEqual([]);
    expect(withdrawalOrders(withdrawn, inRegion('zurich'))).toEqual(withdrawalOrders(withdrawn));
  });

  it('name at most as many consents as an order may', () => {
    const many = Array.from({ length: NAMED_IN_ORDER + 1 }, (_, index) =>
      withdrawal(index, AT, `consent-${10_000 + index}`),
    );
    const erasures = after(withdrawalOrders(many));
    expect(namedIn(erasures)).toEqual([NAMED_IN_ORDER, 1]);
    expect(withdrawalOrders(many, erasures)).toEqual([]);
    expect(withdrawalOrders([])).toEqual([]);
  });

  it('name the last of several withdrawals of one consent', () => {
    const both = [withdrawal(3, AT), withdrawal(9, AT + 5)];
    const erasures = after(withdrawalOrders(both));
    expect(erasures.orders[0]?.consents).toEqual([
      { consentId: CONSENT, before: '2026-11-02T09:00:00.005Z' },
    ]);
    expect(withdrawalOrders(both, erasures)).toEqual([]);
  });

  it('for any grants, withdrawals and repetitions, are about a sample exactly if a withdrawal came after it; never about one of the grant in force', () => {
    const step = fc.record({
      kind: fc.constantFrom('granted', 'withdrawn', 'sample'),
      consentId: fc.constantFrom(CONSENT, 'consent-0002'),
      // 0: in the millisecond of the one before.
      later: fc.integer({ min: 0, max: 3 }),
      /** How many of the last withdrawals are read again. */
      again: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let [at, erasures] = [AT, NO_ERASURES];
        const histories = new Map<string, ConsentHistory>();
        const withdrawals: Withdrawal[] = [];
        const samples: { readonly consentId: string; readonly at: number }[] = [];
        for (const [offset, { kind, consentId, later, again }] of steps.entries()) {
          at += later;
          if (kind === 'sample') {
            samples.push({ consentId, at });
            continue;
          }
          const event = kind === 'granted' ? granted(consentId) : ({ kind, consentId } as const);
          histories.set(consentId, evolve(histories.get(consentId) ?? [], event, at));
          withdrawals.push(...withdrawalsIn(LOG, [record(event, offset, at)]));
          const read = withdrawals.slice(-1 - again);
          erasures = after(withdrawalOrders(read, erasures), erasures);
          // A process that crashed, or a rival, orders again what it did not see.
          erasures = after(withdrawalOrders(read), erasures);
        }
        const index = new ErasureIndex(erasures);
        for (const sample of samples) {
          const { consentId } = sample;
          const isOrdered =
            index.orderOf({
              region: 'zurich',
              submission: 'a'.repeat(64),
              consentId,
              at: sample.at,
            }) !== undefined;
          expect(isOrdered).toBe(
            withdrawals.some((one) => one.consentId === consentId && sample.at < one.at),
          );
          const inForce = (histories.get(consentId) ?? []).find(({ until }) => until === undefined);
          if (inForce !== undefined && sample.at >= inForce.from) {
            expect(gate([inForce], sample.at).given).toBe(true);
            expect(isOrdered).toBe(false);
          }
        }
      }),
    );
  });
});
