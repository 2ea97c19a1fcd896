import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median } from '../report.ts';
import { formatBytes } from '../workload.ts';
import type { Workload } from '../workload.ts';

/** What a figure is compared with: `committed.json` in the repository. */
export interface CommittedTable {
  readonly rows: readonly CommittedRow[];
  /** One a kind of machine: the ratio depends on what a processor computes fast. */
  readonly short: readonly CommittedShort[];
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** When and of what it was measured. */
export interface Origin {
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
}

export interface CommittedRow extends Origin {
  readonly sample: string;
  readonly region: Workload['region'];
  readonly routers: number;
  readonly samples: number;
  readonly cpuMicroseconds: number;
  readonly floorCpuMicroseconds: number;
  readonly timesFloorTime: Spread;
  readonly timesFloorCpu: Spread;
}

export interface CommittedShort extends Origin {
  readonly samples: number;
  readonly timesFloorCpu: number;
}

export const COMMITTED = join(import.meta.dirname, 'committed.json');

export async function readCommitted(file: string): Promise<CommittedTable> {
  return JSON.parse(await readFile(file, 'utf8')) as CommittedTable;
}

export async function writeCommitted(file: string, table: CommittedTable): Promise<void> {
  await writeFile(file, `${JSON.stringify(table, null, 2)}\n`);
}

/** Rows of other samples, regions and numbers of routers stay as they are. */
export function withRows(table: CommittedTable, measured: readonly CommittedRow[]): CommittedTable {
  return {
    ...table,
    rows: [
      ...table.rows.filter((row) => !measured.some((other) => isSame(row, other))),
      ...measured,
    ],
  };
}

/** Those of other kinds of machines stay as they are. */
export function withShort(table: CommittedTable, measured: CommittedShort): CommittedTable {
  return {
    ...table,
    short: [...table.short.filter(({ machine }) => machine !== measured.machine), measured],
  };
}

/** That of this kind of machine. A kind that is not in the table is judged by the highest figure. */
export function shortOf({ short }: CommittedTable, machine: string): CommittedShort {
  const [highest] = short.toSorted((a, b) => b.timesFloorCpu - a.timesFloorCpu);
  const found = short.find((one) => one.machine === machine) ?? highest;
  if (found === undefined)
    throw new Error(
      'Expected a figure of the short form in the committed table, found none; measure one: npm run bench:short -- --commit-table.',
    );
  return found;
}

export function rowOf(
  { rows }: CommittedTable,
  { bytes, region }: Workload,
  routers: number,
): CommittedRow | undefined {
  return rows.find((row) => isSame(row, { sample: formatBytes(bytes), region, routers }));
}

type Key = Pick<CommittedRow, 'sample' | 'region' | 'routers'>;

function isSame(one: Key, other: Key): boolean {
  return (
    one.sample === other.sample && one.region === other.region && one.routers === other.routers
  );
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: rounded(median(values)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
  };
}

/** To the second digit after the point: more would not be reproducible. */
export function rounded(value: number): number {
  return Number(value.toFixed(2));
}

export function machine(): string {
  return `${process.platform} ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`;
}

/** A `+` after the commit: measured with changes that are not in it. */
export async function originNow(): Promise<Origin> {
  const git = async (...args: readonly string[]): Promise<string> =>
    (
      await promisify(execFile)('git', args, { cwd: import.meta.dirname }).catch(() => ({
        stdout: 'unknown',
      }))
    ).stdout.trim();
  const [commit, changes] = [
    await git('rev-parse', '--short', 'HEAD'),
    await git('status', '--porcelain', '--untracked-files=no'),
  ];
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: `${commit}${changes === '' ? '' : '+'}`,
    node: process.versions.node,
    machine: machine(),
  };
}
