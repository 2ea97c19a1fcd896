import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerAnswers } from '../../stack/docker.ts';
import { debianTools } from './debian-tools.ts';
import { engineUnavailable } from './image-error.ts';
import { hasCommand, runCommand, tryCommand } from './run-command.ts';
import type { Ended } from './run-command.ts';

export interface EngineOptions {
  readonly signal: AbortSignal;
  readonly note: (line: string) => void;
}

const STARTS_WITHIN_MS = 60_000;

/** A container engine: the machine's, or one of its own, started from Debian's packages. */
export class Engine {
  /** What it is, for the report. */
  readonly origin: string;
  /** Its own files; gone when it is closed. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal;
  readonly #stop: () => Promise<void>;

  private constructor({
    origin,
    folder,
    env,
    signal,
    stop,
  }: Pick<Engine, 'origin' | 'folder' | 'env'> & {
    readonly signal: AbortSignal;
    readonly stop: () => Promise<void>;
  }) {
    this.origin = origin;
    this.folder = folder;
    this.env = env;
    this.#signal = signal;
    this.#stop = stop;
  }

  /** Throws `ENGINE_UNAVAILABLE`. */
  static async open({ signal, note }: EngineOptions): Promise<Engine> {
    const present = await dockerAnswers();
    if (present && !(await hasCommand('docker')))
      throw engineUnavailable('an engine that answers, and no command `docker`');
    if (!present) await requireMakeable();
    const folder = await mkdtemp(join(tmpdir(), 'residency-image-'));
    const nothing = { env: process.env, stop: () => Promise.resolve() };
    try {
      const started = present ? nothing : await startDaemon(folder, { signal, note });
      const engine = new Engine({ ...started, origin: '', folder, signal });
      const version = await engine.docker('version', '--format', '{{.Server.Version}}');
      const driver = await engine.docker('info', '--format', '{{.Driver}}');
      const origin = `Docker ${version} (${driver}), ${present ? "this machine's" : 'started for this run'}`;
      return new Engine({ ...started, origin, folder, signal });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The command's standard output; rejects if it does not end with 0. */
  async docker(...args: readonly string[]): Promise<string> {
    return (await runCommand('docker', args, { env: this.env, signal: this.#signal })).trim();
  }

  async tryDocker(...args: readonly string[]): Promise<Ended> {
    return await tryCommand('docker', args, { env: this.env, signal: this.#signal });
  }

  /** The same, also after the run was told to end. */
  async remove(...args: readonly string[]): Promise<void> {
    await tryCommand('docker', args, { env: this.env });
  }

  async close(): Promise<void> {
    await this.#stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function requireMakeable(): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw engineUnavailable('no engine that answers, and no root on Linux');
  if ((await hasCommand('dockerd')) || (await hasCommand('apt-get'))) return;
  throw engineUnavailable('no engine that answers, no dockerd and no apt-get');
}

/** Without a network of its own: containers share this machine's (`--network=host`). */
async function startDaemon(
  folder: string,
  { signal, note }: EngineOptions,
): Promise<{ readonly env: NodeJS.ProcessEnv; readonly stop: () => Promise<void> }> {
  const tools = (await hasCommand('dockerd')) ? process.env : await downloaded(folder, signal);
  const [socket, log] = [`unix://${join(folder, 'socket')}`, join(folder, 'dockerd.log')];
  note('Starting dockerd.');
  const daemon = spawn(
    'dockerd',
    [
      '--iptables=false',
      '--ip6tables=false',
      '--ip-masq=false',
      '--bridge=none',
      `--data-root=${join(folder, 'data')}`,
      `--exec-root=${join(folder, 'exec')}`,
      `--pidfile=${join(folder, 'pid')}`,
      `--host=${socket}`,
    ],
    // In a group of its own: Ctrl-C must not end it before its containers are removed.
    { env: tools, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const ended = once(daemon, 'exit').catch(() => undefined);
  const end = (): void => {
    daemon.kill();
  };
  process.once('exit', end);
  const output = createWriteStream(log);
  daemon.stdout.pipe(output);
  daemon.stderr.pipe(output);
  const stop = async (): Promise<void> => {
    end();
    await ended;
    // It leaves the network namespace of `--network=host` mounted.
    await tryCommand('umount', [join(folder, 'exec', 'netns', 'default')]);
    process.off('exit', end);
  };
  const env = { ...tools, DOCKER_HOST: socket, DOCKER_BUILDKIT: '0' };
  const deadline = performance.now() + STARTS_WITHIN_MS;
  while ((await tryCommand('docker', ['version'], { env })).code !== 0) {
    if (daemon.exitCode === null && performance.now() < deadline && !signal.aborted) {
      await sleep(200);
      continue;
    }
    await stop();
    signal.throwIfAborted();
    const said = (await readFile(log, 'utf8')).slice(-1_000);
    throw engineUnavailable(`that dockerd does not start here:\n${said}`);
  }
  return { env, stop };
}

async function downloaded(folder: string, signal: AbortSignal): Promise<NodeJS.ProcessEnv> {
  try {
    return await debianTools(
      join(folder, 'engine'),
      ['docker.io', 'containerd', 'runc', 'tini'],
      signal,
    );
  } catch (cause) {
    signal.throwIfAborted();
    throw engineUnavailable(
      'no engine that answers, and that apt-get can not download docker.io (has `apt-get update` been run?)',
      cause,
    );
  }
}
