import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const KEPT_OUTPUT = 8_192;

/**
 * A script of this folder in a process of its own. It gets one argument, exchanges messages, and
 * ends when this process closes the channel.
 */
export class Child {
  readonly #script: string;
  readonly #process: ChildProcess;
  readonly #heard: unknown[] = [];
  #waiting: (() => void)[] = [];
  #ended: string | undefined;
  #output = '';

  /** `env`: its whole environment besides PATH. */
  constructor(script: string, argument: unknown, env: Readonly<Record<string, string>> = {}) {
    this.#script = script;
    this.#process = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        join(import.meta.dirname, script),
        JSON.stringify(argument),
      ],
      {
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
    });
    this.#process.on('message', (message) => {
      this.#heard.push(message);
      this.#wake();
    });
    this.#process.on('exit', (code, signal) => {
      this.#ended = signal ?? `exit code ${code}`;
      this.#wake();
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  send(message: object): void {
    this.#process.send(message);
  }

  /** The next message; callers get messages in the order in which they called. Throws if the process ends without another one. */
  async said<T>(): Promise<T> {
    for (;;) {
      if (this.#heard.length > 0) return this.#heard.shift() as T;
      if (this.#ended !== undefined)
        throw new Error(
          `Expected ${this.#script} to say what it found, found that it ended (${this.#ended}):\n${this.#output}`,
        );
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  async close(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    if (this.#ended === undefined) await once(this.#process, 'exit');
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Runs a script that sends one message, and returns that message. */
  static async run<T>(
    script: string,
    argument: unknown,
    env?: Readonly<Record<string, string>>,
  ): Promise<T> {
    const child = new Child(script, argument, env);
    try {
      return await child.said<T>();
    } finally {
      await child.close();
    }
  }
}
