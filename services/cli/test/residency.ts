import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, onTestFinished, vi } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));

// A test here is dozens of processes; on a busy machine that is a minute.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

// Starting takes half as long where the code of the start before is kept.
const NODE_COMPILE_CACHE = mkdtempSync(join(tmpdir(), 'residency-cli-code-'));
afterAll(() => rm(NODE_COMPILE_CACHE, { recursive: true, force: true }));

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A line of `--json`; what the test expects of it is there, or the test fails. */
export interface Row {
  readonly [name: string]: unknown;
  readonly path: string;
  readonly position: string;
  readonly time: string;
  readonly policy: { readonly version: number };
  readonly outcomes: readonly {
    readonly outcome: string;
    readonly region?: string;
    readonly reason?: string;
  }[];
}

export interface Folder {
  readonly path: string;
  /** Runs the real command line in a process of its own, here. */
  run(...args: readonly string[]): Promise<Finished>;
  /** Its standard output as JSON lines; throws where it does not end with `code`. */
  json(code: number, ...args: readonly string[]): Promise<readonly Row[]>;
  spawn(args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  remove(): Promise<void>;
}

export async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'residency-cli-'));
  const spawnHere = (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): ChildProcess =>
    spawn(process.execPath, [BIN, ...args], {
      cwd: path,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE, ...env },
    });
  const run = (...args: readonly string[]): Promise<Finished> => finished(spawnHere(args));
  return {
    path,
    run,
    spawn: spawnHere,
    json: async (code, ...args) => {
      const ended = await run(...args, '--json');
      if (ended.code !== code)
        throw new Error(
          `Expected exit code ${code}, found ${ended.code}: ${ended.out}${ended.err}`,
        );
      return ended.out
        .split('\n')
        .filter((line) => line !== '')
        .map((line): Row => JSON.parse(line));
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** A folder for one test. */
export async function temporaryFolder(): Promise<Folder> {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  return folder;
}

export async function finished(child: ChildProcess): Promise<Finished> {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

/** Alters a log past the adapter, in a process of its own, as somebody with access to the disk could. */
export function alterLog(file: string, sql: string): void {
  execFileSync(process.execPath, [
    '-e',
    'new (require("node:sqlite").DatabaseSync)(process.argv[1]).exec(process.argv[2])',
    file,
    sql,
  ]);
}
