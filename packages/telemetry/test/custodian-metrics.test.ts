import { expect, test } from 'vitest';
import { createMetrics } from '../src/metrics.ts';

const NO_ERASURES = { waiting: 0, held: 0 };

test('debts are shown once they are all found, and not by a process that keeps the region no more', async () => {
  const metrics = createMetrics({ service: 'custodian', version: '1', now: () => 0 });
  const custody = metrics.custody({ sites: ['zrh-2'], unpaidCodes: [] });
  const owed = async (): Promise<string | undefined> =>
    /^residency_copies_owed\{site="zrh-2"\} (\d+)$/m.exec((await metrics.render()).body)?.[1];
  const debts = (count: number, complete: boolean) => () => ({
    debts: new Map([['zrh-2', { owed: count }]]),
    unpaid: new Map<string, number>(),
    repairs: [],
    complete,
    erasures: NO_ERASURES,
    losses: { waiting: 0 },
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

test('orders are shown while they are open, and counted by their result', async () => {
  const metrics = createMetrics({ service: 'custodian', version: '1', now: () => 0 });
  const custody = metrics.custody({ sites: ['zrh-1', 'zrh-2'], unpaidCodes: [] });
  const repairs = [{ order: { site: 'zrh-2' } }, { order: { site: 'nowhere' } }];
  const now = {
    debts: new Map(),
    unpaid: new Map(),
    complete: false,
    erasures: NO_ERASURES,
    losses: { waiting: 0 },
  };
  custody.region('zurich', () => ({ ...now, repairs }));
  custody.closed('zrh-2', 'incomplete');
  custody.copied('zrh-2', 'repair');
  const lines = (await metrics.render()).body.split('\n');
  expect(lines.filter((line) => /^residency_(repairs|copies_total).* [^0]$/.test(line))).toEqual([
    'residency_copies_total{site="zrh-2",cause="repair"} 1',
    'residency_repairs_open{site="zrh-2"} 1',
    'residency_repairs_open{site="other"} 1',
    'residency_repairs_closed_total{site="zrh-2",result="incomplete"} 1',
  ]);
  expect(lines).toContain('residency_repairs_open{site="zrh-1"} 0');
});

test('erasures and losses are shown as they wait, erasures with the age of the oldest order, and counted', async () => {
  const metrics = createMetrics({ service: 'custodian', version: '1', now: () => 90_000 });
  const custody = metrics.custody({ sites: ['zrh-1'], unpaidCodes: [] });
  const now = {
    debts: new Map(),
    unpaid: new Map(),
    repairs: [],
    complete: false,
    losses: { waiting: 2 },
  };
  const linesOf = async (): Promise<readonly string[]> =>
    (await metrics.render()).body
      .split('\n')
      .filter((line) => /^residency_(erasure|losses|samples_erased|samples_lost)/.test(line));
  let erasures: { waiting: number; held: number; oldestAt?: number } = NO_ERASURES;
  const ended = custody.region('zurich', () => ({ ...now, erasures }));
  expect(await linesOf()).toEqual([
    'residency_erasures_waiting{region="zurich"} 0',
    'residency_erasures_held{region="zurich"} 0',
    'residency_erasure_oldest_age_seconds{region="zurich"} 0',
    'residency_samples_erased_total{region="zurich"} 0',
    'residency_losses_waiting{region="zurich"} 2',
    'residency_samples_lost_total{region="zurich"} 0',
  ]);
  erasures = { waiting: 3, held: 1, oldestAt: 30_000 };
  custody.erased('zurich');
  custody.lost('zurich');
  expect(await linesOf()).toEqual([
    'residency_erasures_waiting{region="zurich"} 3',
    'residency_erasures_held{region="zurich"} 1',
    'residency_erasure_oldest_age_seconds{region="zurich"} 60',
    'residency_samples_erased_total{region="zurich"} 1',
    'residency_losses_waiting{region="zurich"} 2',
    'residency_samples_lost_total{region="zurich"} 1',
  ]);
  ended();
  expect(await linesOf()).toEqual([
    'residency_samples_erased_total{region="zurich"} 1',
    'residency_samples_lost_total{region="zurich"} 1',
  ]);
});
