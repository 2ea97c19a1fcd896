import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';

/** As deploy/README.md says to start it. The network is the machine's: servers are on 127.0.0.1. */
export const HARDENED = [
  '--network=host',
  '--read-only',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--tmpfs=/tmp:size=256m,mode=1777',
] as const;

/** What a service is given to end; the image promises 25 s. */
const GRACE_SECONDS = 30;
const READY_WITHIN_MS = 180_000;
const POLL_EVERY_MS = 200;

export interface ContainerOptions {
  readonly name: string;
  readonly image: string;
  /** Of its probes; free on this machine. */
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** `source:target[:ro]`. */
  readonly volumes: readonly string[];
  readonly command: readonly string[];
}

export interface Stopped {
  readonly code: number;
  readonly seconds: number;
}

/** A process of ours in a container; removed when it is closed. */
export class Container {
  readonly name: string;
  readonly #engine: Engine;
  readonly #port: number;

  private constructor(engine: Engine, { name, port }: ContainerOptions) {
    this.#engine = engine;
    this.name = name;
    this.#port = port;
  }

  static async start(engine: Engine, options: ContainerOptions): Promise<Container> {
    const { name, image, env, volumes, command } = options;
    const container = new Container(engine, options);
    await engine.docker(
      'run',
      '--detach',
      `--name=${name}`,
      ...HARDENED,
      ...Object.entries(env).map(([variable, value]) => `--env=${variable}=${value}`),
      ...volumes.map((volume) => `--volume=${volume}`),
      image,
      ...command,
    );
    return container;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves once `/readyz` answers 200; rejects if it ends before, or after three minutes. */
  async ready(): Promise<this> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!(await this.#answers())) {
      const state = await this.state('{{.State.Status}}');
      if (state !== 'running' || performance.now() > deadline)
        throw new Error(
          `Expected ${this.name} to become ready, found it ${state}:\n${await this.said()}`,
        );
      await sleep(POLL_EVERY_MS);
    }
    return this;
  }

  /** Standard output of a command inside. */
  async run(...command: readonly string[]): Promise<string> {
    return await this.#engine.docker('exec', this.name, ...command);
  }

  /** `format`: a template of `docker inspect`. */
  async state(format: string): Promise<string> {
    return await this.#engine.docker('inspect', `--format=${format}`, this.name);
  }

  async start(): Promise<this> {
    await this.#engine.docker('start', this.name);
    return await this.ready();
  }

  /** SIGTERM, and SIGKILL after the grace period: then the code is 137. */
  async stop(): Promise<Stopped> {
    const since = performance.now();
    await this.#engine.docker('stop', `--time=${GRACE_SECONDS}`, this.name);
    return {
      seconds: (performance.now() - since) / 1_000,
      code: Number(await this.state('{{.State.ExitCode}}')),
    };
  }

  async said(): Promise<string> {
    const { stdout, stderr } = await this.#engine.tryDocker('logs', '--tail=20', this.name);
    return `${stdout}${stderr}`;
  }

  async close(): Promise<void> {
    await this.#engine.remove('rm', '--force', this.name);
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      return false;
    }
  }
}
