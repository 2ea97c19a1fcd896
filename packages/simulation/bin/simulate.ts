#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installHooks } from '../src/hooks.ts';
import { MUTANTS } from '../src/mutants.ts';

const HELP = `residency-simulate: lives seeded worlds of the real code until they took so many steps, or one breaks a promise (packages/simulation/README.md).

  --seed N        the first world's seed (1)
  --steps M       (1000000)
  --story         tell the world of --seed; one that breaks a promise is shrunk first
  --whole         with --story or --plan: do not shrink
  --plan FILE     tell the world of a kept plan
  --faults A,B    only these faults; an empty list for none
  --policies A,B  only these policy changes
  --site-out      in each world a site goes out of service and comes back
  --erase         in each world samples are ordered to be erased
  --mutant NAME   with a defect put into the code
  --go-on         go on after a world that breaks a promise
  --json          the result as one line of JSON`;

const { values: given } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '1000000' },
    mutant: { type: 'string' },
    plan: { type: 'string' },
    faults: { type: 'string' },
    policies: { type: 'string' },
    'site-out': { type: 'boolean', default: false },
    erase: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    whole: { type: 'boolean', default: false },
    'go-on': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
process.exitCode = await main();

async function main(): Promise<number> {
  const [seed, steps] = [Number(given.seed), Number(given.steps)];
  const mutant = MUTANTS.find(({ name }) => name === given.mutant);
  if (given.help) {
    print(HELP);
    return 0;
  }
  if (
    !Number.isSafeInteger(seed) ||
    !(steps > 0) ||
    (given.mutant !== undefined && mutant === undefined)
  ) {
    process.stderr.write(
      `Expected --seed a whole number, --steps a number above 0 and --mutant one of ${MUTANTS.map(({ name }) => name).join(', ')}.\n`,
    );
    return 2;
  }
  installHooks(mutant);
  // Not before the hooks: what it imports is what they replace.
  const { simulate, printPlanStory, printSeedStory } = await import('../src/simulate.ts');
  const options = {
    seed,
    print,
    faults: names(given.faults),
    policies: names(given.policies),
    siteOut: given['site-out'],
    erase: given.erase,
  };
  if (given.plan !== undefined || given.story) {
    const { violation } =
      given.plan === undefined
        ? await printSeedStory({ ...options, whole: given.whole })
        : await printPlanStory(readFileSync(given.plan, 'utf8'), given.whole, print);
    return violation === undefined ? 0 : 1;
  }
  const result = await simulate({
    ...options,
    steps,
    goOn: given['go-on'],
    print: given.json ? () => undefined : print,
  });
  const { worlds, milliseconds, violated, faults, outcomes } = result;
  if (given.json) print(JSON.stringify(result));
  else {
    print(
      `${result.steps} steps in ${worlds} worlds, seeds ${seed} to ${seed + worlds - 1}, ${Math.round((result.steps / milliseconds) * 1_000)} steps a second; ${violated.length} broke a promise.`,
    );
    print(`faults: ${faults.map(([name, count]) => `${name} ${count}`).join(', ')}`);
    print(`outcomes: ${outcomes.map(([name, count]) => `${name} ${count}`).join(', ')}`);
    if (violated[0] !== undefined)
      print(
        `Its story: npm run simulate -- --seed ${violated[0].seed}${options.siteOut ? ' --site-out' : ''}${options.erase ? ' --erase' : ''} --story`,
      );
  }
  return violated.length > 0 ? 1 : 0;
}

function names(list: string | undefined): readonly string[] | undefined {
  return list?.split(',').filter((name) => name !== '');
}
