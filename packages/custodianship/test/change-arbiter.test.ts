import {
  ARBITER_CLOSING,
  ARBITER_KEPT,
  INITIAL_CONTROL,
  evolveControl,
  serviceOf,
  sitesInService,
} from '@residency/contracts';
import type { ClaimedIdentity, ControlEvent } from '@residency/contracts';
import { changeArbiter } from '@residency/custodianship';
import { describe, expect, it } from 'vitest';

const [ACT, REGION] = ['act-1', 'zurich'];
const claims: readonly ClaimedIdentity[] = Array.from({ length: 2_500 }, (_, index) => ({
  submission: index.toString(16).padStart(64, '0'),
  of: `log-1/threat.samples/0/${index}`,
  sampleSha256: '1'.repeat(64),
  country: 'CH',
}));
type Fault = 'pass' | 'fail' | 'fail-but-persist';

/** A control log whose `nth` step fails, counted from 0; the fence is a step, too. */
function world(nth: number, fault: Fault, unheld = 0) {
  const log: ControlEvent[] = [
    {
      type: ARBITER_CLOSING,
      data: { act: ACT, region: REGION, site: 'zrh-1', next: 'zrh-2', reason: 'fire' },
    },
  ];
  let step = -1;
  const failing = async (does: () => void): Promise<void> => {
    step += 1;
    const how = step === nth ? fault : 'pass';
    if (how !== 'fail') does();
    if (how !== 'pass') throw new Error('failed');
  };
  const change = (acceptLoss = false) =>
    changeArbiter(
      { act: ACT, region: REGION, next: 'zrh-2', acceptLoss },
      {
        append: (event) => failing(() => log.push(event)),
        fence: () => failing(() => undefined),
        findClaims: () => Promise.resolve({ claims, unheld, auditRecords: 0 }),
        newId: () => `attempt-${step}`,
      },
    );
  const service = () =>
    serviceOf(
      log.reduce((state, event, at) => evolveControl(state, event, at), INITIAL_CONTROL),
      REGION,
    );
  return { log, change, service };
}

describe('a change of the arbiter', () => {
  it('ends with the claims and the order', async () => {
    const { change, service } = world(-1, 'pass');
    expect(await change()).toMatchObject({ changed: true });
    expect(service()).toMatchObject({ number: 1, arbiter: 'zrh-2' });
    expect(service().claims.size).toBe(claims.length);
  });

  it('is not made if samples would have no copy left, unless that is accepted', async () => {
    const { change, service } = world(-1, 'pass', 3);
    expect(await change()).toMatchObject({ changed: false, unheld: 3 });
    expect(service()).toMatchObject({ number: 0 });
    expect(service().closing).toBeUndefined();
    const accepted = world(-1, 'pass', 3);
    expect(await accepted.change(true)).toMatchObject({ changed: true });
    expect(sitesInService(accepted.service(), ['zrh-1', 'zrh-2'])).toEqual(['zrh-2']);
  });

  // The fence, three events of claims, and the order.
  it.each(
    (['fail', 'fail-but-persist'] as const).flatMap((fault) =>
      [0, 1, 2, 3, 4].map((nth) => [fault, nth] as const),
    ),
  )(
    'that fails (%s at step %i) leaves no change open, and all of one or nothing',
    async (...at) => {
      const [fault, nth] = at;
      const { log, change, service } = world(nth, fault);
      await expect(change()).rejects.toThrow('failed');
      const { number, closing, claims: claimed } = service();
      expect(closing).toBeUndefined();
      expect([number, claimed.size]).toEqual(
        fault === 'fail-but-persist' && nth === 4 ? [1, claims.length] : [0, 0],
      );
      expect(log.at(-1)?.type).toBe(ARBITER_KEPT);
    },
  );
});
