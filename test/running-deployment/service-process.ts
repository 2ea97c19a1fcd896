import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { defined } from '@residency/defined';

export type ServiceName =
  | 'router'
  | 'consent-projector'
  | 'intake'
  | 'auditor'
  | 'reconciler'
  | 'custodian'
  | 'exporter';

const READY_WITHIN_MS = 300_000;

/** A service of ours in a process of its own, started as an operator starts it. */
export class ServiceProcess {
  readonly name: ServiceName;
  readonly #child;
  readonly #port: number;
  #output = '';

  /** `port`: of its probes; it must be free. */
  constructor(name: ServiceName, port: number, env: Readonly<Record<string, string>>) {
    this.name = name;
    this.#port = port;
    const main = fileURLToPath(new URL(`../../services/${name}/src/main.ts`, import.meta.url));
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
      env: {
        PATH: process.env['PATH'],
        // vitest.config.ts; it halves the start.
        ...defined({ NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }),
        ...env,
        RESIDENCY_HTTP_PORT: String(port),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    // A runner that gives a test up must not leave its services behind.
    const end = (): void => {
      this.#child.kill('SIGKILL');
    };
    process.once('exit', end);
    this.#child.once('exit', () => {
      process.off('exit', end);
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-64 * 1024);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Its last log lines. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit code, or the signal that ended it. */
  async exited(): Promise<number | NodeJS.Signals> {
    if (this.running) await once(this.#child, 'close');
    return this.#child.exitCode ?? this.#child.signalCode ?? 0;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.signal(signal);
    return await this.exited();
  }

  /** Resolves once `/readyz` answers 200. Throws where it ends before, or after five minutes. */
  async ready(): Promise<this> {
    const deadline = performance.now() + READY_WITHIN_MS;
    for (;;) {
      if (await this.#answers('/readyz')) return this;
      if (!this.running)
        throw new Error(
          `Expected ${this.name} to become ready, found that it ended (${String(await this.exited())}):\n${this.#output}`,
        );
      if (performance.now() > deadline)
        throw new Error(
          `Expected ${this.name} to become ready within ${READY_WITHIN_MS} ms, found that it does not:\n${this.#output}`,
        );
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
  }

  async readiness(): Promise<{
    readonly ready: boolean;
    readonly checks: readonly {
      readonly name: string;
      readonly ok: boolean;
      readonly detail?: string;
    }[];
  }> {
    return (await (await fetch(`${this.url}/readyz`)).json()) as Awaited<
      ReturnType<ServiceProcess['readiness']>
    >;
  }

  async #answers(path: string): Promise<boolean> {
    try {
      return (await fetch(`${this.url}${path}`)).ok;
    } catch {
      return false;
    }
  }
}
