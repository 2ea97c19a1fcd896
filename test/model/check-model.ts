import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SPIN, programCommand } from '../stack/debian-program.ts';
import type { Defines } from './runs.ts';

const MODEL = join(import.meta.dirname, 'custody.pml');

/** What a search of all states found. */
export interface Finding {
  /** The promise that is broken, or `invalid end state`; `undefined`: none, all states were seen. */
  readonly broken: string | undefined;
  readonly states: number;
  readonly depth: number;
  readonly megabytes: number;
  /** Of the search, without the compilation. */
  readonly seconds: number;
}

export interface CheckOptions {
  /** Compiles for a long search, and keeps states compressed. */
  readonly large?: boolean;
  readonly signal?: AbortSignal;
}

/** A program that the model needs is not on this machine. */
export class ToolMissing extends Error {
  override readonly name = 'ToolMissing';
}

/**
 * Searches all states of the model within the bounds, until a promise is broken. Throws
 * `ToolMissing`, and an error if the search did not see all states.
 */
export async function checkModel(
  defines: Defines,
  { large = false, signal }: CheckOptions = {},
): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-model-'));
  const options = { cwd: folder, maxBuffer: 1 << 24, ...(signal === undefined ? {} : { signal }) };
  try {
    await tool(await programCommand(SPIN), ['-a', ...flags(defines), MODEL], options);
    await tool(
      'gcc',
      [
        ...(large ? ['-O2', '-DCOLLAPSE', '-DMEMLIM=8000'] : ['-O0', '-DMEMLIM=1500']),
        '-w',
        '-DSAFETY',
        '-o',
        'pan',
        'pan.c',
      ],
      options,
    );
    const { stdout } = await promisify(execFile)(
      join(folder, 'pan'),
      large ? ['-m100000', '-w26'] : ['-m20000', '-w22'],
      options,
    );
    return finding(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function flags(defines: Defines): string[] {
  return Object.entries(defines).map(([name, value]) =>
    value === true ? `-D${name}` : `-D${name}=${value}`,
  );
}

async function tool(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly maxBuffer: number },
): Promise<void> {
  try {
    await promisify(execFile)(command, args, options);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new ToolMissing(
        `Expected the program ${command}, which checks the model, on the PATH, found none. Run \`npm run setup:tests\`, or install Debian's package of that name.`,
        { cause: error },
      );
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(
      `Expected ${command} to accept the model, found that it does not.\n${output.slice(-2_000)}`,
      { cause: error },
    );
  }
}

/** Reads what SPIN's verifier prints. */
export function finding(output: string): Finding {
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const broken = /^pan:\d+: (?:assertion violated \(+(\w+)|(invalid end state))/m.exec(output);
  const errors = number(/errors: (\d+)/);
  const incomplete =
    /max search depth too small|out of memory|reached -DMEMLIM|Search not completed/.test(output);
  if (broken === null && (errors !== 0 || incomplete))
    throw new Error(
      `Expected the checker to see all states within the bounds, found that it did not.\n${output.slice(0, 2_000)}`,
    );
  return {
    broken: broken?.[1] ?? broken?.[2],
    states: number(/^\s*(\d+) states, stored/m),
    depth: number(/depth reached (\d+)/),
    megabytes: number(/^\s*([\d.]+)\s+total actual memory usage/m),
    seconds: number(/elapsed time ([\d.e+-]+) seconds/),
  };
}
