import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

// `npm run proof:simulation -- --steps 100000000 --seed 1000000 --processes 2 --state
// simulation.json`; exit 1 where a promise was broken. One that was ended goes on from its state.
const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100000000' },
    seed: { type: 'string', default: '1000000' },
    processes: { type: 'string', default: '2' },
    state: { type: 'string', default: 'simulation-proof.json' },
  },
});
const COMMAND = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'packages',
  'simulation',
  'bin',
  'simulate.ts',
);
const PORTION = 250_000;

interface Portion {
  readonly steps: number;
  readonly worlds: number;
  readonly milliseconds: number;
  readonly faults: readonly (readonly [string, number])[];
  readonly outcomes: readonly (readonly [string, number])[];
  readonly violated: readonly {
    readonly seed: number;
    readonly invariant: string;
    readonly found: string;
  }[];
}

interface State {
  steps: number;
  worlds: number;
  milliseconds: number;
  next: number;
  readonly first: number;
  readonly faults: Record<string, number>;
  readonly outcomes: Record<string, number>;
  readonly violated: Portion['violated'][number][];
}

const [wanted, first] = [Number(values.steps), Number(values.seed)];
const state: State = existsSync(values.state)
  ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as this script wrote it
    (JSON.parse(readFileSync(values.state, 'utf8')) as State)
  : {
      steps: 0,
      worlds: 0,
      milliseconds: 0,
      first,
      next: first,
      faults: {},
      outcomes: {},
      violated: [],
    };
/** Seeds set apart for each portion: no world is so short that it needs more. */
const SEEDS = 2_000;

await Promise.all(
  Array.from({ length: Number(values.processes) }, async () => {
    while (state.steps < wanted) {
      const seed = state.next;
      state.next += SEEDS;
      take(await portion(seed));
      writeFileSync(values.state, JSON.stringify(state));
      if (process.stderr.isTTY)
        process.stderr.write(
          `\r${state.steps} steps, ${state.worlds} worlds, ${state.violated.length} broke a promise`,
        );
    }
  }),
);
if (process.stderr.isTTY) process.stderr.write('\n');
const rows = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `| ${name} | ${count} |`)
    .join('\n');
console.log(
  [
    `| steps | ${state.steps} |`,
    `| worlds | ${state.worlds} |`,
    `| seeds | from ${state.first}, ${SEEDS} apart for each ${PORTION} steps |`,
    `| steps a second and process | ${Math.round((state.steps / state.milliseconds) * 1_000)} |`,
    `| broke a promise | ${state.violated.length} |`,
    '',
    rows(state.faults),
    '',
    rows(state.outcomes),
  ].join('\n'),
);
for (const { seed, invariant, found } of state.violated)
  console.log(`seed ${seed}: ${invariant}: ${found}`);
process.exit(state.violated.length > 0 ? 1 : 0);

async function portion(seed: number): Promise<Portion> {
  return await new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        COMMAND,
        '--json',
        '--go-on',
        '--seed',
        String(seed),
        '--steps',
        String(PORTION),
      ],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (stdout === '')
          reject(new Error(stderr === '' ? (error?.message ?? 'nothing was printed') : stderr));
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the command prints it
        else resolve(JSON.parse(stdout) as Portion);
      },
    );
  });
}

function take({ steps, worlds, milliseconds, faults, outcomes, violated }: Portion): void {
  state.steps += steps;
  state.worlds += worlds;
  state.milliseconds += milliseconds;
  for (const [name, count] of faults) state.faults[name] = (state.faults[name] ?? 0) + count;
  for (const [name, count] of outcomes) state.outcomes[name] = (state.outcomes[name] ?? 0) + count;
  state.violated.push(...violated);
}
