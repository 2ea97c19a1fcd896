import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from '../src/mutants.ts';
import type { Mutant } from '../src/mutants.ts';
import type { Result } from '../src/simulate.ts';
import { simulateProcess, simulated } from './simulate-process.ts';

const PATIENCE_MS = 1_200_000;

describe('a mutant', () => {
  test('has a name of its own', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(15);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  test.each(MUTANTS.filter(({ plan }) => plan === undefined))(
    'is found within 1,000,000 steps: $name, $defect',
    async (mutant) => {
      const violated = await search(mutant);
      expect(violated).toHaveLength(1);
      expect(violated[0]?.invariant).not.toBe('the simulation itself');
    },
    PATIENCE_MS,
  );

  test.each(MUTANTS.filter(({ plan }) => plan !== undefined))(
    'is found in a kept plan: $name, $defect',
    async ({ name, plan }) => {
      const kept = join(import.meta.dirname, 'kept', `${plan}.json`);
      const { code, text } = await simulateProcess('--plan', kept, '--whole', '--mutant', name);
      expect(text).toContain('Broken at');
      expect(code).toBe(1);
    },
    PATIENCE_MS,
  );
});

/** In the world that found it before; if it does not any more, in all from the first on. */
async function search({ name, seed, faults = [] }: Mutant): Promise<Result['violated']> {
  if (seed !== undefined) {
    const args = ['--seed', String(seed), '--steps', '1', ...faults];
    const { violated } = await simulated('--mutant', name, ...args);
    if (violated.length > 0) return violated;
  }
  const { violated } = await simulated('--mutant', name, '--steps', '1000000', ...faults);
  process.stdout.write(`mutants.ts: ${name}, seed: ${violated[0]?.seed},\n`);
  return violated;
}
