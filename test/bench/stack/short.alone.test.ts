import { expect, test } from 'vitest';
import { COMMITTED, machine, readCommitted, shortOf } from './committed.ts';
import { SHORT } from './options.ts';
import { measureShort, shortTable, tooHeavyText } from './short.ts';
import { Stand } from './stand.ts';
import { limitOf, lowestRatio, verdictOf } from './verdict.ts';

const ROUNDS_OF_HEAVIER = 2;

test(
  "a router's CPU a sample is not more than 25 % above the committed figure, and a router of three times the CPU would be",
  { timeout: 900_000 },
  async () => {
    const committed = shortOf(await readCommitted(COMMITTED), machine());
    const stand = await Stand.open({ gatherMs: 500, longRunning: false });
    try {
      const pairs = await measureShort(
        stand,
        {
          workload: SHORT,
          routerEnv: {},
          enough: (each) => verdictOf(each, committed) !== undefined,
        },
        () => undefined,
      );
      console.log(shortTable(SHORT, pairs, committed));
      expect(verdictOf(pairs, committed), tooHeavyText(lowestRatio(pairs), committed)).not.toBe(
        'too heavy',
      );

      const heavier = await measureShort(
        stand,
        {
          workload: SHORT,
          routerEnv: {
            NODE_OPTIONS: `--import=${import.meta.resolve('./heavier-router.ts')}`,
          },
          enough: ({ length }) => length === ROUNDS_OF_HEAVIER,
        },
        () => undefined,
      );
      expect(lowestRatio(heavier)).toBeGreaterThan(limitOf({ timesFloorCpu: lowestRatio(pairs) }));
    } finally {
      await stand.close();
    }
  },
);
