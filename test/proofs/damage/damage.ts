import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { ZURICH, damageRun } from './damage-run.ts';
import type { OrderedBy, RoundResult } from './damage-run.ts';

// `npm run proof:damage -- --objects 10000 --seed 1 --on s3 --site both --by both`; exit 1 where a
// promise was broken.
endOnSignal();
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    on: { type: 'string', default: 's3' },
    site: { type: 'string', default: 'both' },
    by: { type: 'string', default: 'both' },
  },
});
const [objects, seed] = [Number(values.objects), Number(values.seed)];
const on = values.on === 'directories' ? 'directories' : 's3';
const ORDERED_BY: readonly OrderedBy[] = ['command', 'auto'];
// The arbiter comes last.
const rounds = ZURICH.toReversed()
  .filter((site) => values.site === 'both' || values.site === site)
  .flatMap((site) =>
    ORDERED_BY.filter((by) => values.by === 'both' || values.by === by).map((by) => ({ site, by })),
  );
const startedAt = performance.now();
const result = await damageRun({
  seed,
  on,
  objects,
  rounds,
  longRunning: true,
  note: (line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  },
});
const { tally } = result;
const rows: readonly (readonly [string, string | number])[] = [
  ['seed', seed],
  ['sites', on],
  ['samples stored', result.stored],
  ['submissions settled', tally.records],
  ['objects broken in all', result.rounds.reduce((sum, { broken }) => sum + total(broken), 0)],
  ['lost', tally.lost],
  ['twice', tally.twice],
  ['in the wrong region', tally.wrongRegion],
  ['wrong in a report, good copies displaced, and other faults', tally.other],
  ['differences of `reconcile --open`', tally.reconcileDifferences],
  ['seconds', Math.round((performance.now() - startedAt) / 1_000)],
];
console.log('| | |\n|---|---|');
for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
console.log(
  '\n| site | ordered by | removed, cut, flipped | sent again, same and other bytes | orders | = | - | * | ! | of `*`, strangers | seconds |\n|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|',
);
for (const round of result.rounds) console.log(rowOf(round));
for (const finding of tally.findings) console.log(finding);
if (tally.failed || tally.findings.length > 0) process.exitCode = 1;

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}

function rowOf({
  site,
  by,
  broken,
  again,
  orders,
  signs,
  strangers,
  seconds,
}: RoundResult): string {
  const cells = [
    site,
    by,
    `${broken.removed}, ${broken.cut}, ${broken.flipped}`,
    `${again.same}, ${again.other}`,
    orders,
    signs['='],
    signs['-'],
    signs['*'],
    signs['!'],
    strangers,
    Math.round(seconds),
  ];
  return `| ${cells.join(' | ')} |`;
}
