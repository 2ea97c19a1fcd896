import type { Plan } from './plan.ts';
import { runWorld } from './run-world.ts';
import type { Outcome } from './run-world.ts';

/**
 * Tells a world: who did what, at what virtual time, in seconds; then how it ended, and the plan
 * that keeps it.
 */
export async function story(plan: Plan, print: (line: string) => void): Promise<Outcome> {
  print(
    `The world of seed ${plan.seed}: ${plan.partitions} partitions, ${plan.routers} routers, ${plan.projectors} projectors, ${plan.happenings.length} happenings.`,
  );
  const outcome = await runWorld(plan, (at, who, what) => {
    print(`${(at / 1_000).toFixed(4).padStart(10)} s  ${who.padEnd(12)} ${what}`);
  });
  const { violation, steps, trace, waiting } = outcome;
  for (const [name, code] of waiting) print(`${name} waits for a person: ${code}.`);
  print(
    violation === undefined
      ? 'No promise was broken.'
      : `Broken at ${(violation.at / 1_000).toFixed(4)} s: ${violation.invariant}: ${violation.found}`,
  );
  print(`${steps} steps, trace ${trace}.`);
  if (violation !== undefined) {
    print(`To keep it: write the next line into packages/simulation/test/kept/<what-it-is>.json`);
    print(JSON.stringify(plan));
  }
  return outcome;
}
