import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../services/cli/bin/residency.js', import.meta.url));

/** The record of publications to clusters goes here, not to the developer's own state folder. */
const STATE = mkdtempSync(join(tmpdir(), 'residency-state-'));
process.once('exit', () => {
  rmSync(STATE, { recursive: true, force: true });
});

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command line in a process of its own, in `cwd`. */
export async function residency(cwd: string, ...args: readonly string[]): Promise<Finished> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, XDG_STATE_HOME: STATE },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** The answers of a `--json` command. */
export function jsonLines(stdout: string): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/**
 * Starts the standalone service and waits for its address; its first-run output ends up in
 * `output()`.
 */
export async function start(
  cwd: string,
  ...args: readonly string[]
): Promise<{
  readonly url: string;
  readonly child: ChildProcess;
  output: () => string;
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}> {
  const child = spawn(process.execPath, [BIN, 'start', '--port', '0', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const take = (text: string): void => {
    output += text;
    const url = /https?:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    if (url !== undefined) resolve(url);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  child.once('exit', (code) => {
    reject(new Error(`residency start ended with ${String(code)} before it listened:\n${output}`));
  });
  const url = await promise;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  };
  return { url, child, output: () => output, stop };
}

/** A temporary folder for a test, removed afterwards. */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
