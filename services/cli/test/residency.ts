import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { inProcess } from './in-process.ts';
import type { Finished } from './in-process.ts';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));

/** What was published to clusters and intakes is noted here, by all files of a worker. */
const STATE = mkdtempSync(join(tmpdir(), 'residency-cli-state-'));
process.once('exit', () => {
  rmSync(STATE, { recursive: true, force: true });
});

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
  /** Where checkpoints are kept apart from its data directory. */
  readonly checkpoints: string;
  /** Runs a command here, in the test's own process. */
  run(...args: readonly string[]): Promise<Finished>;
  /** Its standard output as JSON lines; throws where it does not end with `code`. */
  json(code: number, ...args: readonly string[]): Promise<readonly Row[]>;
  /** The same with these variables over the others. */
  runWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Finished>;
  /**
   * The real launcher in a process of its own, here: for what is about processes (signals, exit,
   * locks, a reader that goes away).
   */
  spawn(args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  remove(): Promise<void>;
}

export async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'residency-cli-'));
  const checkpoints = `${path}-checkpoints`;
  const environment = (over: Readonly<Record<string, string>> = {}) => ({
    ...process.env,
    RESIDENCY_CHECKPOINTS: checkpoints,
    XDG_STATE_HOME: STATE,
    ...over,
  });
  const run = (...args: readonly string[]): Promise<Finished> =>
    inProcess(args, { env: environment(), cwd: path });
  return {
    path,
    checkpoints,
    run,
    runWith: (env, ...args) => inProcess(args, { env: environment(env), cwd: path }),
    spawn: (args, env) =>
      spawn(process.execPath, [BIN, ...args], {
        cwd: path,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: environment(env),
      }),
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
    remove: async () => {
      await Promise.all(
        [path, checkpoints].map((one) => rm(one, { recursive: true, force: true })),
      );
    },
  };
}

/** A folder for one test. */
export async function temporaryFolder(): Promise<Folder> {
  const folder = await makeFolder();
  onTestFinished(() => folder.remove());
  return folder;
}

/** Writes samples of these names, and publishes them under the consent `consent-0001`. */
export async function publishSamples(folder: Folder, ...names: readonly string[]): Promise<void> {
  for (const name of names) await writeFile(join(folder.path, name), `sample ${name}`);
  await folder.json(
    0,
    'publish',
    ...names,
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--source',
    'urn:test',
  );
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

/**
 * Alters a log past the adapter, in a process of its own, as somebody with access to the disk
 * could.
 */
export function alterLog(file: string, sql: string): void {
  execFileSync(process.execPath, [
    '-e',
    'new (require("node:sqlite").DatabaseSync)(process.argv[1]).exec(process.argv[2])',
    file,
    sql,
  ]);
}
