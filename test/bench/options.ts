import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { formatBytes, parseBytes } from './workload.ts';
import type { Workload } from './workload.ts';

export interface BenchOptions {
  readonly workloads: readonly Workload[];
  readonly pairs: number;
  /** Workloads that are routed once, for their memory only. */
  readonly waiting: readonly Workload[];
  readonly steps: Workload;
  /** Where the runs write; removed afterwards. */
  readonly under: string;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const SIZES = [KiB, 10 * KiB, 100 * KiB, 10 * MiB];
// A few seconds a run, however large the samples.
const FULL_BYTES = 320 * MiB;
const FULL_COUNT = 4_000;

export const USAGE = `npm run bench -- [--quick] [--sizes 1KiB,10KiB,100KiB,10MiB] [--pairs 3] [--under DIR]
  --quick   a few samples of each size, one pair: shows that it works, its figures mean nothing
  --sizes   of a sample, up to 16 MiB
  --pairs   runs of the router and of the floor, alternating
  --under   a folder on the disk to measure; default: the system's folder for temporary files
`;

/** Throws a message for the person who typed the options. */
export function readOptions(args: readonly string[]): BenchOptions {
  const {
    values: { quick, sizes, pairs, under },
  } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      sizes: { type: 'string' },
      pairs: { type: 'string', default: '3' },
      under: { type: 'string', default: tmpdir() },
    },
  });
  if (!/^[1-9]\d?$/.test(pairs)) throw new Error('--pairs: expected 1 to 99; correct it.');
  const chosen = sizes === undefined ? SIZES : sizes.split(',').map((text) => readSize(text));
  return quick ? quickly(chosen, under) : fully(chosen, Number(pairs), under);
}

function fully(sizes: readonly number[], pairs: number, under: string): BenchOptions {
  return {
    workloads: sizes.flatMap((bytes) =>
      (['zurich', 'moscow'] as const).map((region) => ({
        bytes,
        region,
        count: Math.max(8, Math.min(FULL_COUNT, Math.floor(FULL_BYTES / bytes))),
      })),
    ),
    pairs,
    waiting: [
      [10 * KiB, 2_000],
      [10 * KiB, 20_000],
      [16 * MiB, 8],
      [16 * MiB, 64],
    ].map(([bytes = 0, count = 0]) => ({ bytes, count, region: 'zurich' })),
    steps: { bytes: 10 * KiB, count: FULL_COUNT, region: 'zurich' },
    under,
  };
}

function quickly(sizes: readonly number[], under: string): BenchOptions {
  return {
    workloads: sizes.map((bytes) => ({
      bytes,
      region: 'zurich',
      count: Math.max(2, Math.min(50, Math.floor((8 * MiB) / bytes))),
    })),
    pairs: 1,
    waiting: [{ bytes: 10 * KiB, count: 200, region: 'zurich' }],
    steps: { bytes: 10 * KiB, count: 50, region: 'zurich' },
    under,
  };
}

function readSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined || bytes > 16 * MiB)
    throw new Error(
      `--sizes: expected sizes up to ${formatBytes(16 * MiB)} such as 10KiB, separated by commas; correct it.`,
    );
  return bytes;
}
