import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { vaultRuns } from './vault-runs.ts';

// `npm run proof:vault -- --rounds 200 --accesses 8 --seed 1`; exit 1 if a promise was broken.
endOnSignal();
process.env['NODE_COMPILE_CACHE'] ??= join(
  import.meta.dirname,
  '../../../node_modules/.cache/code',
);
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    accesses: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
  },
});
const startedAt = performance.now();
const tally = await vaultRuns({
  rounds: Number(values.rounds),
  accesses: Number(values.accesses),
  seed: Number(values.seed),
  note: (line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  },
});
const rows: readonly (readonly [string, string | number])[] = [
  ['seed', values.seed],
  ['rounds, each with one disturbance', values.rounds],
  [
    'disturbed',
    [...tally.victims]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([victim, count]) => `${victim} ${count}`)
      .join(', '),
  ],
  ['accesses asked for', tally.accesses],
  ['requests sent for them', tally.answers],
  ['samples given out whole', tally.given],
  ['custodians that woke after an erasure', tally.woke],
  [
    'accesses that were public when these were frozen; of them, before the first byte',
    `${tally.frozen}; ${tally.frozenBeforeFirstByte}`,
  ],
  ['samples withheld, because they were erased', tally.withheld],
  ['of arriving samples, accesses that were public and verified then', tally.arrivals],
  ['faults', tally.found],
  ['seconds', Math.round((performance.now() - startedAt) / 1_000)],
];
console.log('| | |\n|---|---|');
for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
for (const finding of tally.findings) console.log(finding);
const showsNothing = tally.woke > 0 && tally.frozenBeforeFirstByte === 0;
if (tally.found > 0 || tally.given + tally.withheld !== tally.accesses || showsNothing)
  process.exitCode = 1;
