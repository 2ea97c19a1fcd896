import { parseArgs } from 'node:util';
import { failed, ledgerRuns } from './ledger-runs.ts';

// `npm run proof:ledger -- --runs 200 --seed 1`; exit 1 if a promise was broken.
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const [runs, seed] = [Number(values.runs), Number(values.seed)];
const startedAt = performance.now();
const tally = await ledgerRuns({
  runs,
  seed,
  onRun: ({ runs: done, lives, killed }) => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r${done}/${runs} runs, ${lives} writers, ${killed} processes killed`);
  },
});
if (process.stderr.isTTY) process.stderr.write('\n');
const rows: readonly (readonly [string, string | number])[] = [
  ['runs', tally.runs],
  ['seeds', `${seed} to ${seed + runs - 1}`],
  ['writers', tally.lives],
  ['left dead at a call of the store', tally.abandoned],
  ['processes killed', tally.killed],
  ['calls that failed, half of them carried out', tally.faults],
  ['records', tally.records],
  ['heads decided', tally.checkpoints],
  ['files', tally.files],
  ['forks', tally.forks],
  ['events missing', tally.missing],
  ['faults that fsck finds', tally.fsckFaults],
  ['checkpoints that went back', tally.wentBack],
  ['seconds', Math.round((performance.now() - startedAt) / 1_000)],
];
console.log(rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n'));
for (const finding of tally.findings) console.log(finding);
process.exit(failed(tally) ? 1 : 0);
