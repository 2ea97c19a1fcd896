import { expect, test } from 'vitest';
import { measureErasure } from './erasure.ts';
import { WAYS } from './erasure-figures.ts';
import { erasureTables } from './erasure-tables.ts';

test('the benchmark of erasure measures until samples are gone at both sites, beside a load and a floor', async () => {
  const options = {
    rounds: 1,
    consents: 1,
    sizes: [1, 3],
    everyMs: 200,
    onTheirWay: 2,
    bytes: 1_024,
    rate: 5,
    least: 10,
    calmSeconds: 0.5,
    longRunning: false,
  };
  const figures = await measureErasure(options);
  const tables = erasureTables(options, figures);
  for (const way of WAYS)
    for (const size of options.sizes)
      expect(tables).toMatch(
        new RegExp(String.raw`^\| ${way} \| ${size} \| 1 (?:\| \d[\d./ ]+ ){3}\| `, 'm'),
      );
  // Those sent before the withdrawal are erased, and those after it are never stored.
  expect(tables).toMatch(/^\| one by one \| 3 \|.*\| 2 \| \d[\d./ ]+ \| 2 \|$/m);
  expect(tables).toMatch(/^\| custodian, one by one \| 8 \|/m);
  expect(tables).toMatch(/^\| custodian, at once \| 4 \|/m);
  expect(tables).toMatch(/^\| floor \| 4 \|.*\| 1 \|/m);
  for (const { floor } of figures.rounds) expect(floor.cpuSeconds).toBeGreaterThan(0);
});
