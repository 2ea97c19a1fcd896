import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SAMPLE_SHARING, evolve, gate } from '../src/index.ts';
import type { ConsentEvent, ConsentHistory } from '../src/index.ts';

const granted = (
  purposes: readonly string[] = [SAMPLE_SHARING],
  termsVersion = '1',
): ConsentEvent => ({ kind: 'granted', consentId: 'c-12345678', purposes, termsVersion });
const withdrawn: ConsentEvent = { kind: 'withdrawn', consentId: 'c-12345678' };
const given = (...events: readonly (readonly [number, ConsentEvent])[]): ConsentHistory =>
  events.reduce<ConsentHistory>((history, [at, event]) => evolve(history, event, at), []);

describe("consent as of a record's time", () => {
  it('is unknown before the first grant, and where there never was one', () => {
    expect(gate([], 5)).toEqual({ given: false, reason: 'CONSENT_UNKNOWN' });
    expect(gate(given([10, granted()]), 9)).toEqual({ given: false, reason: 'CONSENT_UNKNOWN' });
    expect(gate(given([10, withdrawn]), 11)).toEqual({ given: false, reason: 'CONSENT_UNKNOWN' });
  });

  it("holds from the grant's millisecond up to, not including, the withdrawal's", () => {
    const history = given([10, granted()], [20, withdrawn]);
    expect(gate(history, 10)).toEqual({ given: true, termsVersion: '1' });
    expect(gate(history, 19)).toEqual({ given: true, termsVersion: '1' });
    expect(gate(history, 20)).toEqual({ given: false, reason: 'CONSENT_WITHDRAWN' });
  });

  it('can be given again, under other terms', () => {
    const history = given([10, granted()], [20, withdrawn], [30, granted([SAMPLE_SHARING], '2')]);
    expect(gate(history, 29)).toEqual({ given: false, reason: 'CONSENT_WITHDRAWN' });
    expect(gate(history, 30)).toEqual({ given: true, termsVersion: '2' });
    expect(gate(history, 15)).toEqual({ given: true, termsVersion: '1' });
  });

  it('for another purpose is not consent for this one', () => {
    expect(gate(given([10, granted(['statistics'])]), 12)).toEqual({
      given: false,
      reason: 'CONSENT_PURPOSE',
    });
  });

  it('ends the earlier grant where a new one comes without a withdrawal between', () => {
    const history = given([10, granted()], [20, granted(['statistics'])]);
    expect(gate(history, 19).given).toBe(true);
    expect(gate(history, 20)).toEqual({ given: false, reason: 'CONSENT_PURPOSE' });
  });

  it('given and withdrawn in one millisecond is withdrawn', () => {
    expect(gate(given([10, granted()], [10, withdrawn]), 10)).toEqual({
      given: false,
      reason: 'CONSENT_WITHDRAWN',
    });
  });

  it('follows the last event before any instant, whatever the history', () => {
    const events = fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 50 }),
        fc.constantFrom<ConsentEvent>(granted(), withdrawn),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: 51 }), (unsorted, at) => {
        const log = unsorted.toSorted(([a], [b]) => a - b);
        const last = log.findLast(([time]) => time <= at);
        expect(gate(given(...log), at).given).toBe(last?.[1].kind === 'granted');
      }),
    );
  });
});
