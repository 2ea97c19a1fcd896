import { gate } from '@residency/consent';
import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendOne, consentRecord, someLog, text } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

const ID = 'consent-0001';
const GRANT = consentRecord({
  kind: 'granted',
  consentId: ID,
  purposes: ['threat-sample-sharing'],
  termsVersion: '1',
});
const WITHDRAW = consentRecord({ kind: 'withdrawn', consentId: ID });

describe('append time', () => {
  let clock = 0;
  let some: SomeLog;
  beforeEach(async () => {
    clock = 1_000_000;
    some = await someLog({ now: () => clock });
  });
  afterEach(async () => {
    await some.close();
  });

  it("does not go back when the system's clock does, and goes on with it afterwards", async () => {
    const times = [];
    for (clock of [5_000, 4_000, 4_999, 5_001])
      times.push(await appendOne(some.log, TOPICS.samples, text('x')));
    expect(times).toEqual([5_000, 5_000, 5_000, 5_001]);
  });

  it('is one clock for all topics', async () => {
    clock = 9_000;
    await appendOne(some.log, TOPICS.subjects, text('x'));
    clock = 8_000;
    expect(await appendOne(some.log, TOPICS.samples, text('x'))).toBe(9_000);
  });

  it('of a consent or a policy is later than everything appended before it, in one append too', async () => {
    await appendOne(some.log, TOPICS.samples, text('x'));
    expect(await appendOne(some.log, TOPICS.consents, GRANT)).toBe(1_000_001);
    expect(await appendOne(some.log, TOPICS.policy, text('x'))).toBe(1_000_002);
    expect(await appendOne(some.log, TOPICS.samples, text('x'))).toBe(1_000_002);
    const positions = await some.log.append(
      [TOPICS.consents, TOPICS.consents, TOPICS.samples].map((topic) => ({ topic, record: GRANT })),
    );
    const records = await Promise.all(
      positions.map(async (position) => await some.log.readAt(position)),
    );
    expect(records.map((record) => record?.at)).toEqual([1_000_003, 1_000_004, 1_000_004]);
  });

  it('decides a sample alike whether consent is looked up at once or after later consents, on a clock that stands still', async () => {
    const steps = ['sample', 'grant', 'sample', 'withdraw', 'sample', 'grant', 'sample'] as const;
    const atOnce = [];
    const times = [];
    for (const step of steps) {
      if (step !== 'sample') {
        await appendOne(some.log, TOPICS.consents, step === 'grant' ? GRANT : WITHDRAW);
        continue;
      }
      const at = await appendOne(some.log, TOPICS.samples, text('x'));
      const { watermark, histories } = await some.log.consentView().read([ID]);
      expect(watermark).toBeGreaterThan(at);
      atOnce.push(gate(histories.get(ID) ?? [], at).given);
      times.push(at);
    }
    const history = await some.log.consentHistory(ID);
    expect(atOnce).toEqual([false, true, false, true]);
    expect(times.map((at) => gate(history, at).given)).toEqual(atOnce);
  });

  it('keeps log order under any clock: nothing a view may still learn has a time at or before a record it covers', async () => {
    const topic = fc.constantFrom<Topic>(
      TOPICS.samples,
      TOPICS.consents,
      TOPICS.policy,
      TOPICS.subjects,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(topic, fc.integer({ min: 1, max: 50 })), { maxLength: 25 }),
        async (steps) => {
          const fresh = await someLog({ now: () => clock });
          try {
            let before = 0;
            for (const [next, now] of steps) {
              clock = now;
              const { watermark } = await fresh.log.policyView().read();
              const at = await appendOne(fresh.log, next, GRANT);
              const learnt = next === TOPICS.consents || next === TOPICS.policy;
              expect(at).toBeGreaterThanOrEqual(learnt ? watermark : before);
              before = at;
            }
          } finally {
            await fresh.close();
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});
