import { parseArgs } from 'node:util';
import { REGIONS, formatBytes, parseBytes } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { COMMITTED } from './committed.ts';

export interface StackBenchOptions {
  readonly quick: boolean;
  /** Only the short form. */
  readonly short: boolean;
  /** A command of the user's that is measured in the same rounds. */
  readonly peer: string | undefined;
  /** Variables for the routers, over the deployment's own. */
  readonly routerEnv: Readonly<Record<string, string>>;
  /** What figures are compared with. */
  readonly committed: string;
  /** Writes the figures to `committed`. */
  readonly commitTable: boolean;
  /** Each routed by one router, and by two, three ... up to `routers` of them. */
  readonly series: readonly { readonly workload: Workload; readonly routers: number }[];
  readonly pairs: number;
  /** 0: not measured. */
  readonly latencySeconds: number;
  /** The beginning of a latency run that does not count. */
  readonly warmUpSeconds: number;
  /** 0: not measured. */
  readonly memoryMinutes: number;
  readonly memory: Workload;
  readonly memoryEverySeconds: number;
  /** The number of samples kept waiting during it. */
  readonly memoryWaiting: number;
  readonly steps: readonly Workload[];
  /**
   * How long the broker gathers a new group's members, so that all routers of a run begin together.
   */
  readonly gatherMs: number;
  /** Changes the broker's settings, which is worth it for runs of several minutes. */
  readonly longRunning: boolean;
}

type Region = Workload['region'];

const KiB = 1024;
const MiB = 1024 * KiB;
const SIZES = [KiB, 10 * KiB, 100 * KiB, MiB];
const DEFAULT_REGIONS = 'zurich,moscow';
// Ten seconds a run and more, however large the samples; many batches of each partition.
const FULL_BYTES = 320 * MiB;
const FULL_COUNT = 12_000;
const STEPS_BYTES = 200 * MiB;
const STEPS_COUNT = 4_000;
/** The workload of the short form. */
export const SHORT: Workload = { bytes: 10 * KiB, region: 'zurich', count: 1_000 };

export const USAGE = `npm run bench:stack -- [--quick] [--sizes 1KiB,10KiB,100KiB,1MiB] [--regions zurich,moscow] [--routers 3] [--pairs 3]
                       [--latency-seconds 60] [--memory-minutes 10] [--peer CMD] [--router-env NAME=VALUE]...
                       [--committed FILE] [--commit-table]
npm run bench:short -- [--router-env NAME=VALUE]... [--committed FILE] [--commit-table]
  --quick            a few samples of one size: shows that it works, its figures mean nothing
  --sizes            of a sample, up to 16 MiB
  --regions          zurich: two sites, moscow: one. Latency, memory and steps are measured in the first of them
  --routers          the first region's samples are routed by one router, by two, and so on up to this many; the other region's by one
  --pairs            runs of the routers and of the floor, alternating
  --latency-seconds  at half of the highest rate of one router, for each size; 0: not at all
  --memory-minutes   at the highest rate of one router, 10 KiB; 0: not at all
  --peer             a command for the shell that does the same with the same samples, measured in the same rounds
  --router-env       a variable for the routers
  --committed        the table to compare with; default: test/bench/stack/committed.json
  --commit-table     write the figures to that table, except those of busy runs

The short form compares one router's CPU a sample, at 10 KiB, with the floor's, and exits with 1 if that is more than 25 % above the committed figure.
Tables go to standard output, progress to standard error. Linux only. The servers' folder (about 20 GB at the defaults) is made in the
system's folder for temporary files: set TMPDIR to have it elsewhere. What is measured, and how: test/bench/stack/README.md.
`;

/** Throws a message for the person who typed the options. */
export function readOptions(args: readonly string[]): StackBenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      sizes: { type: 'string' },
      regions: { type: 'string' },
      routers: { type: 'string' },
      pairs: { type: 'string' },
      'latency-seconds': { type: 'string' },
      'memory-minutes': { type: 'string' },
      short: { type: 'boolean', default: false },
      peer: { type: 'string' },
      'router-env': { type: 'string', multiple: true, default: [] },
      committed: { type: 'string', default: COMMITTED },
      'commit-table': { type: 'boolean', default: false },
    },
  });
  const { quick, short, peer, committed } = values;
  const sizes =
    values.sizes?.split(',').map((text) => readSize(text)) ?? (quick ? [10 * KiB] : SIZES);
  const regions = (values.regions ?? (quick ? 'zurich' : DEFAULT_REGIONS))
    .split(',')
    .map((text) => readRegion(text));
  const read = (name: 'routers' | 'pairs', most: number, usual: number): number =>
    readNumber(name, values[name], { least: 1, most, usual });
  return {
    ...(quick || short
      ? quickly(sizes, regions, read('routers', 6, 2))
      : fully(sizes, regions, read('routers', 6, 3))),
    pairs: read('pairs', 99, quick ? 1 : 3),
    latencySeconds: readNumber('latency-seconds', values['latency-seconds'], {
      least: 0,
      most: 3_600,
      usual: quick ? 1 : 60,
    }),
    memoryMinutes: readNumber('memory-minutes', values['memory-minutes'], {
      least: 0,
      most: 1_440,
      usual: quick ? 0.02 : 10,
    }),
    quick,
    short,
    peer,
    routerEnv: Object.fromEntries(values['router-env'].map((text) => readVariable(text))),
    committed,
    commitTable: values['commit-table'],
  };
}

type Sizes = Omit<
  StackBenchOptions,
  | 'pairs'
  | 'latencySeconds'
  | 'memoryMinutes'
  | 'quick'
  | 'short'
  | 'peer'
  | 'routerEnv'
  | 'committed'
  | 'commitTable'
>;

function fully(sizes: readonly number[], regions: readonly Region[], routers: number): Sizes {
  const [first = 'zurich'] = regions;
  const count = (bytes: number, most: number, together: number): number =>
    Math.max(8, Math.min(most, Math.floor(together / bytes)));
  return {
    series: regions.flatMap((region) =>
      sizes.map((bytes) => ({
        workload: { bytes, region, count: count(bytes, FULL_COUNT, FULL_BYTES) },
        routers: region === first ? routers : 1,
      })),
    ),
    warmUpSeconds: 10,
    memory: { bytes: 10 * KiB, count: 0, region: first },
    memoryEverySeconds: 5,
    memoryWaiting: 6_000,
    steps: [10 * KiB, MiB].map((bytes) => ({
      bytes,
      region: first,
      count: count(bytes, STEPS_COUNT, STEPS_BYTES),
    })),
    gatherMs: 3_000,
    longRunning: true,
  };
}

function quickly(sizes: readonly number[], regions: readonly Region[], routers: number): Sizes {
  const [first = 'zurich'] = regions;
  return {
    series: regions.flatMap((region) =>
      sizes.map((bytes) => ({
        workload: {
          bytes,
          region,
          count: Math.max(2, Math.min(300, Math.floor((8 * MiB) / bytes))),
        },
        routers: region === first ? routers : 1,
      })),
    ),
    warmUpSeconds: 0.5,
    memory: { bytes: 10 * KiB, count: 0, region: first },
    memoryEverySeconds: 0.2,
    memoryWaiting: 20,
    steps: [{ bytes: 10 * KiB, region: first, count: 20 }],
    gatherMs: 500,
    longRunning: false,
  };
}

export function readSize(text: string, option = '--sizes'): number {
  const bytes = parseBytes(text);
  if (bytes === undefined || bytes > 16 * MiB)
    throw new Error(
      `${option}: expected a size up to ${formatBytes(16 * MiB)} such as 10KiB, found ${text}; correct it.`,
    );
  return bytes;
}

function readRegion(text: string): Region {
  if (text === 'zurich' || text === 'moscow') return text;
  throw new Error(
    `--regions: expected some of ${Object.keys(REGIONS).join(', ')}, separated by commas; correct it.`,
  );
}

function readVariable(text: string): readonly [string, string] {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new Error('--router-env: expected NAME=VALUE; correct it.');
  return [name, value];
}

export function readNumber(
  name: string,
  text: string | undefined,
  { least, most, usual }: { readonly least: number; readonly most: number; readonly usual: number },
): number {
  if (text === undefined) return usual;
  const value = Number(text);
  const whole = least === 0 || Number.isInteger(value);
  if (!/^\d+(\.\d+)?$/.test(text) || !whole || value < least || value > most)
    throw new Error(`--${name}: expected ${least} to ${most}; correct it.`);
  return value;
}
