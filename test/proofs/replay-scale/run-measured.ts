import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

export interface Measured {
  readonly seconds: number;
  /** User and system time of all its threads: what other work on the machine changes least. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly out: string;
}

const MEASURED = new URL('measured.ts', import.meta.url).href;
const RESIDENCY = fileURLToPath(new URL('../../../services/cli/bin/residency.js', import.meta.url));
const BARE = fileURLToPath(new URL('bare-process.ts', import.meta.url));

/** `residency ...args` in a process of its own; throws where it does not end with 0. */
export function residency(...args: readonly string[]): Promise<Measured> {
  return run(RESIDENCY, args);
}

export function bareConsumer(directory: string): Promise<Measured> {
  return run(BARE, [directory]);
}

async function run(script: string, args: readonly string[]): Promise<Measured> {
  const file = join(tmpdir(), `residency-measured-${randomUUID()}`);
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', MEASURED, script, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, REPLAY_SCALE_MEASURED: file } },
  );
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0)
    throw new Error(
      `Expected ${args.slice(0, 2).join(' ')} to end with 0, found ${String(code)}: ${out.slice(0, 2_000)}${err.slice(0, 2_000)}`,
    );
  const measured: Omit<Measured, 'out'> = JSON.parse(await readFile(file, 'utf8'));
  await rm(file);
  return { ...measured, out };
}
