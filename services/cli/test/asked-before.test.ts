import { expect, it } from 'vitest';
import { askedBefore } from '../src/losses/asked-before.ts';
import type { FollowedLoss, LossResult } from '../src/losses/read-losses.ts';

const sample = (n: number, offset = n, region = 'zurich') => ({
  submission: String(n).repeat(64),
  position: `log-1/threat.samples/0/${offset}`,
  region,
});

const refused = (...args: Parameters<typeof sample>): LossResult => {
  const { submission, position } = sample(...args);
  return { submission, position, state: 'refused', code: 'HELD', at: 2 };
};

const loss = (
  act: string,
  names: readonly number[],
  rest: Partial<Pick<FollowedLoss, 'closedAt'>> & { results?: LossResult[] } = {},
): FollowedLoss => ({
  order: {
    act,
    at: 1,
    region: 'zurich',
    reason: 'fire',
    submissions: names.map((n) => sample(n).submission),
  },
  results: [],
  ...rest,
});

it('what an open order still gives up is waited for, and the rest is ordered', () => {
  const losses = [loss('a', [1]), loss('b', [2], { closedAt: 2 }), loss('c', [3])];
  expect(askedBefore([sample(2), sample(1)], losses)).toEqual({
    acts: ['a'],
    rest: [sample(2).submission],
  });
});

it('an order that refused a sample is neither waited for nor enough, while it waits for another one', () => {
  const losses = [loss('a', [1, 2], { results: [refused(1)] })];
  expect(askedBefore([sample(1)], losses)).toEqual({ acts: [], rest: [sample(1).submission] });
  expect(askedBefore([sample(2)], losses)).toEqual({ acts: ['a'], rest: [] });
});

it('a refusal of another sample of the submission, and an order in another region, say nothing', () => {
  const losses = [loss('a', [1], { results: [refused(1, 8)] })];
  expect(askedBefore([sample(1)], losses)).toEqual({ acts: ['a'], rest: [] });
  expect(askedBefore([sample(1, 1, 'moscow')], losses)).toEqual({
    acts: [],
    rest: [sample(1).submission],
  });
});
