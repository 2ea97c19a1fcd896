import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { runErasures } from './erasure-runs.ts';

// `npm run proof:erasure -- --samples 10000 --seed 1`; exit 1 if a promise was broken.
endOnSignal();
process.env['NODE_COMPILE_CACHE'] ??= join(
  import.meta.dirname,
  '../../../node_modules/.cache/code',
);
const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const {
  counts,
  findings,
  found,
  disturbed,
  away,
  broken,
  orders,
  receipts,
  remainders,
  rounds,
  seconds,
} = await runErasures({
  seed: Number(values.seed),
  samples: Number(values.samples),
  longRunning: Number(values.samples) > 1_000,
  note: (line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  },
});
const rows: readonly (readonly [string, string | number])[] = [
  ['seed', values.seed],
  ['rounds', rounds],
  ['records', counts.records],
  ['of these redriven', counts.redriven],
  ['samples stored', counts.stored],
  ['orders', orders],
  ['samples erased', counts.erased],
  ['of these in more than one event, because a site was away', counts.inParts],
  ['ordered and kept by a hold', counts.held],
  ['set-aside objects with a tombstone', counts.setAside],
  ['refused as `ERASED`', counts.refusedErased],
  ['refused for the withdrawn consent', counts.refusedForConsent],
  ['duplicates, conflicts', `${counts.duplicates}, ${counts.conflicts}`],
  [
    'killed or frozen',
    [...disturbed]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([victim, count]) => `${victim} ${count}`)
      .join(', '),
  ],
  ['times that a site was away', away],
  ['S3 requests that failed, whose answer was lost', `${broken.cut}, ${broken.dropped}`],
  ['left by a killed S3 server beside samples that are kept, named by `reconcile`', remainders],
  ['receipts from before, verified', receipts],
  ['faults', found],
  ['seconds', Math.round(seconds)],
];
console.log('| | |\n|---|---|');
for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
for (const finding of findings) console.log(finding);
if (found > 0) process.exitCode = 1;
