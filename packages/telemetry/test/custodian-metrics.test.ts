import { expect, test } from 'vitest';
import { createMetrics } from '../src/metrics.ts';

test('debts are shown once they are all found, and not by a process that keeps the region no more', async () => {
  const metrics = createMetrics({ service: 'custodian', version: '1', now: () => 0 });
  const custody = metrics.custody({ sites: ['zrh-2'], unpaidCodes: [] });
  const owed = async (): Promise<string | undefined> =>
    /^residency_copies_owed\{site="zrh-2"\} (\d+)$/m.exec((await metrics.render()).body)?.[1];
  const debts = (count: number, complete: boolean) => () => ({
    debts: new Map([['zrh-2', { owed: count }]]),
    unpaid: new Map<string, number>(),
    complete,
  });
  const first = custody.region('zurich', debts(0, false));
  expect(await owed()).toBeUndefined();
  const next = custody.region('zurich', debts(3, true));
  expect(await owed()).toBe('3');
  // The term before ends after the next one began.
  first();
  expect(await owed()).toBe('3');
  next();
  expect(await owed()).toBeUndefined();
});
