import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

/** A cause in a runbook: a command, and the output that identifies the cause. */
export interface RunbookCause {
  readonly id: string;
  readonly command: string;
  readonly shows: string;
}

const CAUSE = /```sh cause=([a-z][a-z0-9-]*)\n([^`]+?)```\s*\n+Shows: `([^`\n]+)`/g;
const COMMAND_WITHIN_MS = 600_000;

/** Parses a page in the form that docs/runbooks/README.md describes. */
export function causesOf(page: string): readonly RunbookCause[] {
  return [...page.matchAll(CAUSE)].map(([, id = '', command = '', shows = '']) => ({
    id,
    command: command.trim(),
    shows,
  }));
}

export async function readRunbook(alert: string): Promise<readonly RunbookCause[]> {
  return causesOf(
    await readFile(new URL(`../../../docs/runbooks/${alert}.md`, import.meta.url), 'utf8'),
  );
}

export interface Shell {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs a command exactly as the page gives it. Returns all output. */
export async function run(command: string, { cwd, env }: Shell): Promise<string> {
  const child = spawn('sh', ['-c', command], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // Processes that the shell started keep its output open, so they must end too.
  const late = setTimeout(() => {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  }, COMMAND_WITHIN_MS);
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  await once(child, 'close');
  clearTimeout(late);
  return printed;
}

/** The causes of a page whose commands show them now. */
export async function causesShown(
  alert: string,
  shell: Shell,
): Promise<ReadonlyMap<string, string>> {
  const shown = new Map<string, string>();
  for (const { id, command, shows } of await readRunbook(alert)) {
    const printed = await run(command, shell);
    if (printed.includes(shows)) shown.set(id, printed);
  }
  return shown;
}
