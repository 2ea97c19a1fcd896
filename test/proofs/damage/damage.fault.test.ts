import { expect, onTestFailed, test } from 'vitest';
import { damageRun } from './damage-run.ts';

const OBJECTS = 60;

// `npm run proof:damage` breaks 10,000 objects in each round, also on S3, and each site by both ways.
test(
  'objects that were broken in a later site, then in the arbiter, on directories, are made anew and reported one by one, while their identities are sent again',
  { timeout: 3_600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const { tally, rounds } = await damageRun({
      seed: 1_000_031,
      on: 'directories',
      objects: OBJECTS,
      rounds: [
        { site: 'zrh-2', by: 'command' },
        { site: 'zrh-1', by: 'auto' },
      ],
      longRunning: false,
      note: (line) => {
        notes.push(line);
      },
    });
    expect(tally.findings).toEqual([]);
    expect(tally.failed).toBe(false);
    expect(rounds.map(({ signs }) => signs['-'] + signs['*'])).toEqual([OBJECTS, OBJECTS]);
    expect(rounds[0]?.signs).toMatchObject({ '!': 0, '=': 12 });
  },
);
