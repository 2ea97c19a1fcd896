import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './tree.ts';

/** One forbidden arrow: the rule's name and the file it starts at. */
export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

export interface Cruise {
  readonly violations: readonly Violation[];
  /** How many files were read. */
  readonly modules: number;
  readonly rules: readonly string[];
}

interface Report {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
    readonly totalCruised: number;
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
  };
}

const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');

/**
 * Runs the cruiser as `npm run layers` does, on the tree at `cwd` with the rules of this
 * repository.
 */
export async function cruise(cwd: string): Promise<Cruise> {
  const args = [
    cruiser,
    '--config',
    join(root, '.dependency-cruiser.cjs'),
    '--output-type',
    'json',
    'packages',
    'services',
    'test',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd,
    maxBuffer: 256 * 1024 * 1024,
  });
  const { summary }: Report = JSON.parse(stdout);
  return {
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    modules: summary.totalCruised,
    rules: summary.ruleSetUsed.forbidden.map(({ name }) => name),
  };
}
