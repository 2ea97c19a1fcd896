import { setTimeout as sleep } from 'node:timers/promises';
import type { Guarded } from './guarded.ts';

/** For a machine that does much else. */
const READY_MS = 600_000;
const PROBE_EVERY_MS = 50;

/** One server of an own stack. It keeps its port and its data. */
export interface Server {
  readonly name: string;
  /** Of the running server process. */
  readonly pid: number | undefined;
  /** SIGTERM; resolves once it has ended. */
  stop(): Promise<void>;
  /** SIGKILL; resolves once it has ended. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Resolves once it answers. */
  start(): Promise<void>;
  /** The last lines it printed. */
  output(): string;
}

/** What a Java server is started for. */
export interface ServerTuning {
  readonly longRunning: boolean;
  /** Its end writes the classes that it loaded into the stack's folder, as `<name>.jsa`. */
  readonly recordClasses: boolean;
}

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Whether the server answers; a rejection means not yet. */
  readonly ready: () => Promise<boolean>;
}

export class GuardedServer implements Server {
  readonly name: string;
  readonly #guarded: Guarded;
  readonly #command: ServerCommand;

  constructor(guarded: Guarded, command: ServerCommand) {
    this.name = command.name;
    this.#guarded = guarded;
    this.#command = command;
  }

  get pid(): number | undefined {
    return this.#guarded.ended(this.name) === undefined ? this.#guarded.pid(this.name) : undefined;
  }

  async start(): Promise<void> {
    if (this.#guarded.ended(this.name) === undefined)
      throw new Error(`Expected ${this.name} stopped, found it running; stop or kill it first.`);
    this.#guarded.start(this.name, this.#command.command, this.#command.args);
    const until = Date.now() + READY_MS;
    while (!(await this.#answers())) {
      const how = this.#guarded.ended(this.name);
      if (how !== undefined)
        throw new Error(
          `Expected ${this.name} to start, found that it ended (${how}). Its last lines:\n${this.output()}`,
        );
      if (Date.now() > until)
        throw new Error(
          `Expected ${this.name} to answer within ${READY_MS} ms, found that it does not. Its last lines:\n${this.output()}`,
        );
      await sleep(PROBE_EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  freeze(): void {
    this.#guarded.signal(this.name, 'SIGSTOP');
  }

  thaw(): void {
    this.#guarded.signal(this.name, 'SIGCONT');
  }

  output(): string {
    return this.#guarded.output(this.name);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#guarded.ended(this.name) !== undefined) return;
    this.#guarded.signal(this.name, signal);
    await this.#guarded.untilEnded(this.name);
  }

  async #answers(): Promise<boolean> {
    try {
      return await this.#command.ready();
    } catch {
      return false;
    }
  }
}
