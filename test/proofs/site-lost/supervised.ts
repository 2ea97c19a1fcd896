import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';

const AGAIN_AFTER_MS = 200;

/** A service under a supervisor: whatever ends it, it is started again. */
export class Supervised {
  #process: ServiceProcess | undefined;
  #stopped = false;
  #killed = false;
  readonly #running: Promise<void>;
  /** The last lines of each process that ended by itself. */
  readonly endedByItself: string[] = [];
  /** How it ended at SIGTERM, if not with 0. */
  endedWrongly: string | undefined;

  /** `launch`: starts a process, without waiting until it is ready. */
  constructor(launch: () => Promise<ServiceProcess>) {
    this.#running = this.#supervise(launch);
  }

  kill(): void {
    this.#killed = true;
    this.#process?.signal('SIGKILL');
  }

  /** As an upgrade does: it ends by itself, and is started again. */
  restart(): void {
    this.#killed = true;
    this.#process?.signal('SIGTERM');
  }

  freeze(): void {
    this.#process?.signal('SIGSTOP');
  }

  thaw(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Where its present process answers; `undefined`: none was started yet. */
  get url(): string | undefined {
    return this.#process?.url;
  }

  /** Resolves once a process of it is ready. Throws if it is not within five minutes. */
  async ready(): Promise<void> {
    while (this.#process === undefined) await sleep(10);
    await this.#process.ready();
  }

  /** Its readiness and last lines, as text. */
  async describe(): Promise<string> {
    const service = this.#process;
    if (service === undefined) return 'never started';
    const readiness = await service.readiness().then((value) => JSON.stringify(value), String);
    return `${service.name} ${service.pid}: ${readiness}\n${service.output.slice(-3_000)}`;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.thaw();
    this.#process?.signal('SIGTERM');
    await this.#running;
  }

  async #supervise(launch: () => Promise<ServiceProcess>): Promise<void> {
    while (!this.#stopped) {
      this.#killed = false;
      this.#process = await launch();
      const how = await this.#process.exited();
      const last = `${this.#process.name} ended with ${String(how)}: ${this.#process.output.slice(-1_500)}`;
      if (this.#stopped) {
        // A signal that comes before the handlers are there ends it too.
        if (how !== 0 && how !== 'SIGTERM') this.endedWrongly = last;
      } else {
        if (!this.#killed) this.endedByItself.push(last);
        await sleep(AGAIN_AFTER_MS);
      }
    }
  }
}
