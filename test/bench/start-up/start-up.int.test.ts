import { expect, test } from 'vitest';
import { measureStartUp, startUpTable } from './start-up.ts';

test('the benchmark of start-up runs each command beside a bare Node and prints its CPU', async () => {
  const started = await measureStartUp(1, () => undefined);
  expect(started.map(({ command }) => command.split(' ').slice(0, 2).join(' '))).toEqual([
    'node -e',
    'residency --help',
    'residency where',
    'residency where',
    'residency publish',
  ]);
  expect(startUpTable(started)).toMatch(
    /\| residency where CH \| 1 \| \d\.\d{3} \(\d\.\d{3}–\d\.\d{3}\) \| \d+\.\d \|/,
  );
});
