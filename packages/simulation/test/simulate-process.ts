import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Result } from '../src/simulate.ts';

const COMMAND = join(import.meta.dirname, '..', 'bin', 'simulate.ts');

/**
 * In a process of its own: the simulation replaces clocks, timers and clients of the whole process.
 */
export async function simulateProcess(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly text: string }> {
  return await new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', COMMAND, ...args],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') reject(error);
        else if (stderr !== '') reject(new Error(stderr));
        else resolve({ code: error === null ? 0 : Number(error.code), text: stdout });
      },
    );
  });
}

export async function simulated(...args: readonly string[]): Promise<Result> {
  const { text } = await simulateProcess('--json', ...args);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the command prints it
  return JSON.parse(text) as Result;
}
