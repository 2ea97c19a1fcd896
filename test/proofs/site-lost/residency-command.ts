import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';

const LAUNCHER = fileURLToPath(new URL('../../../services/cli/bin/residency.js', import.meta.url));

export interface Ended {
  /** `null`: a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in a process of its own, as a user runs it. `kill` aborts with SIGKILL. */
export async function residencyCommand(
  folder: string,
  args: readonly string[],
  kill?: AbortSignal,
): Promise<Ended> {
  const child = spawn(LAUNCHER, [...args, '--config', 'residency.env'], {
    cwd: folder,
    env: { ...process.env, XDG_STATE_HOME: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = (): void => {
    child.kill('SIGKILL');
  };
  kill?.addEventListener('abort', end, { once: true });
  process.once('exit', end);
  try {
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  } finally {
    process.off('exit', end);
    kill?.removeEventListener('abort', end);
  }
}
