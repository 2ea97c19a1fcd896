/**
 * Runs between a test process and its servers, in a session of its own. When the channel to the
 * test process closes, also by SIGKILL, it kills every server and removes
 * their folder.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GuardNews, GuardOrder } from './guard-messages.ts';

const running = new Map<string, ChildProcess>();
const folder = await mkdtemp(join(tmpdir(), 'residency-stack-'));
let ending = false;

function send(news: GuardNews): void {
  if (process.connected) process.send?.(news);
}

function start(server: string, command: string, args: readonly string[]): void {
  // Java names files in the locale's characters; in the plain one a key that is not ASCII is
  // refused.
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.set(server, child);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      send({ news: 'output', server, text });
    });
  }
  const ended = (how: string): void => {
    if (running.get(server) === child) running.delete(server);
    send({ news: 'ended', server, how });
    if (ending) void leaveWhenAlone();
  };
  child.on('spawn', () => {
    send({ news: 'started', server, pid: child.pid ?? 0 });
  });
  child.on('error', (error) => {
    ended(error.message);
  });
  child.on('exit', (code, signal) => {
    ended(signal ?? `exit code ${code}`);
  });
}

async function leaveWhenAlone(): Promise<void> {
  if (running.size > 0) return;
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  process.exit(0);
}

function end(): void {
  if (ending) return;
  ending = true;
  for (const child of running.values()) child.kill('SIGKILL');
  void leaveWhenAlone();
}

process.on('disconnect', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
process.on('message', (message: GuardOrder) => {
  if (ending) return;
  if (message.order === 'start') start(message.server, message.command, message.args);
  else running.get(message.server)?.kill(message.signal);
});
if (process.connected) send({ news: 'ready', folder });
else end();
