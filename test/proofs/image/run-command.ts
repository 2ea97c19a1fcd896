import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Ends the command with SIGTERM. */
  readonly signal?: AbortSignal;
}

const LAST_CHARACTERS = 4_096;

/** Rejects if the command can not be started, or was ended by `signal`. */
export async function tryCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Ended> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  options.signal?.throwIfAborted();
  return { code, stdout, stderr };
}

/** Its standard output. Rejects with the end of what it wrote if its exit code is not 0. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  const { code, stdout, stderr } = await tryCommand(command, args, options);
  if (code === 0) return stdout;
  throw new Error(
    `Expected ${command} ${args.slice(0, 2).join(' ')} to end with 0, found ${String(code)}:\n${`${stdout}${stderr}`.slice(-LAST_CHARACTERS)}`,
  );
}

export async function hasCommand(command: string): Promise<boolean> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = await access(join(folder, command), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
