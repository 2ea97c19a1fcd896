import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { Deployment } from '../running-deployment/deployment.ts';
import { freePorts, sharedStack } from '../stack/index.ts';
import { jsonLines } from './residency.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = await readFile(join(ROOT, 'docs/how-to/run-on-a-cluster.md'), 'utf8');
const commands = [...page.matchAll(/^ {7}((?:[A-Z_]+=\d+ )?npx residency .*)$/gm)].map(
  ([, line = '']) => line,
);

/** The PATH of a plain machine: its own npm and Node, none of the project's. */
const PATH = (process.env['PATH'] ?? '')
  .split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');

async function shell(
  cwd: string,
  line: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn('sh', ['-c', line], {
    cwd,
    env: { PATH, HOME: process.env['HOME'] ?? cwd },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/**
 * Starts a command of the page with a free port, and waits until it is ready. It ends with the
 * test.
 */
async function started(cwd: string, line: string, port: number): Promise<void> {
  const child = spawn('sh', ['-c', line.replace(/=\d+ /, `=${port} `)], {
    cwd,
    env: { PATH, HOME: process.env['HOME'] ?? cwd },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    // npx and its children form a process group.
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await ended;
  });
  const ready = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status === 200;
  await expect
    .poll(async () => `${String(await ready())} ${child.exitCode === null ? '' : said}`, {
      interval: 500,
    })
    .toBe('true ');
}

it('every command of docs/how-to/run-on-a-cluster.md works, and the resulting cluster routes', async () => {
  const deployment = await Deployment.open(await sharedStack(), { bare: true });
  onTestFinished(() => deployment.close());
  await cp(join(ROOT, 'policy'), join(deployment.folder, 'policy'), { recursive: true });
  expect(commands.length).toBeGreaterThan(9);
  await symlink(join(ROOT, 'node_modules'), join(deployment.folder, 'node_modules'));
  const ports = await freePorts(4);
  for (const line of commands) {
    // The deployment has a ledger's key already, which no command overwrites.
    if (line.includes('audit key generate')) await rm(join(deployment.folder, 'ledger-key'));
    if (line.includes(' service ')) await started(deployment.folder, line, ports.shift() ?? 0);
    else
      expect.soft({ line, ...(await shell(deployment.folder, line)) }).toMatchObject({ code: 0 });
  }

  const run = (...args: readonly string[]): ReturnType<Deployment['residency']> =>
    deployment.residency(...args);
  await writeFile(join(deployment.folder, 'a-file'), 'not malware');
  expect(
    await run('consent', 'grant', '--consent', 'how-to-consent-1', '--subject', 'somebody'),
  ).toMatchObject({ code: 0 });
  // The command that the documentation gives to publishers.
  await new Promise((resolve) => {
    setTimeout(resolve, 2_000);
  });
  const [published] = jsonLines(
    (await run('publish', 'a-file', '--country', 'BR', '--consent', 'how-to-consent-1', '--json'))
      .stdout,
  );
  await expect
    .poll(async () => (await run('status', String(published?.['submission']), '--json')).stdout, {
      interval: 1_000,
    })
    .toContain('"stored"');
  expect((await run('audit', 'list', '--region', 'moscow', '--json')).stdout).toContain(
    '"stored.v1"'.slice(1, -1),
  );
  expect(await run('quarantine', 'list')).toMatchObject({ code: 0, stdout: '' });
  expect(await run('reconcile', '--open')).toMatchObject({ code: 0 });
});
