import { parseArgs } from 'node:util';
import { crashRuns, failed } from './crash-runs.ts';

// `npm run proof:crash -- --runs 200 --seed 1`; exit 1 if a promise was broken.
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const [runs, seed] = [Number(values.runs), Number(values.seed)];
const startedAt = performance.now();
const tally = await crashRuns({
  runs,
  seed,
  onRun: ({ runs: done, kills, inHand }) => {
    if (process.stderr.isTTY)
      process.stderr.write(
        `\r${done}/${runs} runs, ${kills} kills, ${inHand} with a batch in hand`,
      );
  },
});
if (process.stderr.isTTY) process.stderr.write('\n');
const rows: readonly (readonly [string, string | number])[] = [
  ['runs', tally.runs],
  ['seeds', `${seed} to ${seed + runs - 1}`],
  ['routers killed', tally.kills],
  ['of these with a batch in hand', tally.inHand],
  ['publishers killed', tally.publisherKills],
  ['records', tally.records],
  ['objects', tally.objects],
  ['lost', tally.lost],
  ['twice', tally.twice],
  ['in the wrong region', tally.wrongRegion],
  ['other faults', tally.other],
  ['reconcile differences', tally.reconcileDifferences],
  ['seconds', Math.round((performance.now() - startedAt) / 1_000)],
];
console.log(rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n'));
for (const finding of tally.findings) console.log(finding);
if (failed(tally)) process.exitCode = 1;
