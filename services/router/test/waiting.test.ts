import { CodedError } from '@residency/coded-error';
import { expect, test } from 'vitest';
import { Waiting } from '../src/waiting.ts';

const behind = new CodedError({ code: 'VIEW_BEHIND', message: 'm', remedy: 'retry' });
const unsettled = new CodedError({ code: 'OWNER_UNSETTLED', message: 'm', remedy: 'retry' });
const down = new CodedError({ code: 'SITE_UNREACHABLE', message: 'm', remedy: 'retry' });

test.each([behind, unsettled])(
  'a wait of ordinary traffic is reported only if it lasts: $code',
  (error) => {
    let now = 0;
    const waiting = new Waiting(10_000, () => now);
    const seen: unknown[] = [];
    for (now of [0, 5_000, 9_999, 10_000, 12_000]) {
      waiting.on(0, { error });
      seen.push(waiting.news?.error);
    }
    expect(seen).toEqual([undefined, undefined, undefined, error, error]);
  },
);

test('any settlement restarts the time', () => {
  let now = 0;
  const waiting = new Waiting(10_000, () => now);
  waiting.on(0, { error: behind });
  now = 9_000;
  waiting.on(0, { error: behind }, true);
  now = 18_000;
  expect(waiting.news?.error).toBeUndefined();
  now = 19_000;
  expect(waiting.news?.error).toBe(behind);
});

test('any other wait is reported at once, and a partition that continues hides no other that waits', () => {
  const waiting = new Waiting(10_000, () => 0);
  waiting.on(1, { error: down, position: 'log/threat.samples/1/7' }, true);
  waiting.on(0, undefined);
  expect(waiting.news).toMatchObject({ error: down, position: 'log/threat.samples/1/7' });
  waiting.on(1, undefined);
  expect(waiting.news?.error).toBeUndefined();
});

test('a revoked partition no longer counts as waiting', () => {
  const waiting = new Waiting(10_000, () => 0);
  waiting.on(1, { error: down });
  waiting.on(undefined, { error: down });
  waiting.forget();
  expect(waiting.news?.error).toBeUndefined();
});
