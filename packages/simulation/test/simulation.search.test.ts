import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { simulateProcess, simulated } from './simulate-process.ts';

/** Long enough for a machine that does much else: nothing here is about time. */
const PATIENCE_MS = 1_200_000;

describe('a simulated world', () => {
  test(
    'breaks no promise in 800,000 steps from seed 1 on',
    async () => {
      const { steps, violated, faults } = await simulated('--seed', '1', '--steps', '800000');
      expect(violated).toEqual([]);
      expect(steps).toBeGreaterThanOrEqual(800_000);
      // A run in which nothing went wrong shows nothing.
      expect(faults.map(([name]) => name)).toEqual(
        expect.arrayContaining([
          'kill',
          'freeze',
          'request lost',
          'answer lost',
          'redis-emptied',
          'site-refuses',
          'rebalance',
        ]),
      );
    },
    PATIENCE_MS,
  );

  test(
    'breaks no promise in 200,000 steps from seed 500,000 on',
    async () => {
      // New seeds are the long run's to try (npm run proof:simulation): a test's answer is its change's.
      const { violated } = await simulated('--seed', '500000', '--steps', '200000');
      expect(violated).toEqual([]);
    },
    PATIENCE_MS,
  );

  test(
    'breaks no promise in 150,000 steps in which brokers forget transaction markers',
    async () => {
      const names = 'kill,freeze,rebalance,markers-lost,weather';
      const args = ['--seed', '65', '--steps', '150000', '--faults', names];
      const { violated, faults } = await simulated(...args);
      expect(violated).toEqual([]);
      expect(faults.map(([name]) => name)).toContain('marker lost');
    },
    PATIENCE_MS,
  );

  test(
    'breaks no promise in 150,000 steps in which a site goes out of service and comes back',
    async () => {
      const { violated, outcomes } = await simulated('--steps', '150000', '--site-out');
      expect(violated).toEqual([]);
      expect(outcomes.map(([name]) => name)).toEqual(
        expect.arrayContaining(['arbiter changed', 'site in', 'copied', 'register']),
      );
    },
    PATIENCE_MS,
  );

  test(
    'breaks no promise in 200,000 steps in which samples are erased, and in 150,000 in which a site goes out too',
    async () => {
      for (const args of [
        ['--steps', '200000', '--erase'],
        ['--steps', '150000', '--erase', '--site-out'],
      ]) {
        const { violated, outcomes } = await simulated(...args);
        expect(violated).toEqual([]);
        expect(outcomes.map(([name]) => name)).toEqual(
          expect.arrayContaining(['erased', 'tombstone', 'refused ERASED', 'duplicate', 'copied']),
        );
      }
    },
    PATIENCE_MS,
  );

  test(
    'is the same from the same seed, step by step, and another from another',
    async () => {
      const [first, again, other] = await Promise.all(
        ['7', '7', '8'].map(async (seed) => await simulated('--seed', seed, '--steps', '20000')),
      );
      expect(again).toEqual({ ...first, milliseconds: again?.milliseconds });
      expect(other?.trace).not.toBe(first?.trace);
      const stories = await Promise.all(
        [1, 2].map(async () => await simulateProcess('--seed', '7', '--story')),
      );
      expect(stories[0]).toEqual(stories[1]);
    },
    PATIENCE_MS,
  );

  const kept = globSync('kept/*.json', { cwd: import.meta.dirname });
  test.each(kept)(
    'breaks no promise any more in %s',
    async (plan) => {
      const { code, text } = await simulateProcess(
        '--plan',
        join(import.meta.dirname, plan),
        '--whole',
      );
      expect({ code, text: code === 0 ? '' : text }).toEqual({ code: 0, text: '' });
    },
    PATIENCE_MS,
  );
});
