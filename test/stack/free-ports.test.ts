import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { freePorts } from './free-ports.ts';

const RANGE = { first: 9_740, last: 9_749 };
const MODULE = JSON.stringify(new URL('free-ports.ts', import.meta.url).href);

test('no port is returned twice, neither here nor in another process, while its caller lives', async () => {
  const calls = await Promise.all([freePorts(2, RANGE), freePorts(2, RANGE), freePorts(1, RANGE)]);
  const elsewhere = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { freePorts } from ${MODULE};
     console.log(JSON.stringify(await freePorts(5, ${JSON.stringify(RANGE)})));`,
  ]);
  const all = [...calls.flat(), ...(JSON.parse(elsewhere.stdout) as number[])];
  expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => 9_740 + i));
  // What the other process had is free again; what this one has is not.
  expect(await freePorts(5, RANGE)).toHaveLength(5);
  await expect(freePorts(1, RANGE)).rejects.toThrow('Expected 1 free ports between 9740 and 9749');
});
