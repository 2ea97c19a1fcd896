import { Worker } from 'node:worker_threads';
import type { OperationName, Operations } from './operations.ts';
import { SqliteLogError, explainSqlite } from './sqlite-log-error.ts';
import { unpackError } from './wire-error.ts';
import type { Request, Response, WorkerSettings } from './worker-protocol.ts';

/** The client of the log's thread: one promise for each request, answered in order. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #exited: Promise<void>;
  #nextId = 0;
  #closed = false;

  constructor(settings: WorkerSettings) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: settings,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    this.#worker.on('message', (response: Response) => {
      this.#settle(response);
    });
    this.#worker.on('error', (error) => {
      this.#fail(explainSqlite(error));
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#fail(closed());
        resolve();
      });
    });
  }

  /**
   * `transfer`: buffers inside `parameters` that are transferred; the caller must not use them
   * again.
   */
  async call<Name extends OperationName>(
    operation: Name,
    parameters: Parameters<Operations[Name]>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Awaited<ReturnType<Operations[Name]>>> {
    if (this.#closed) throw closed();
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#worker.postMessage({ id, operation, parameters } satisfies Request, [...transfer]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the worker answers each operation with its own result
    return (await answer.promise) as Awaited<ReturnType<Operations[Name]>>;
  }

  /** Answers pending requests, then ends the thread. */
  async close(): Promise<void> {
    if (!this.#closed) this.#worker.postMessage('close', []);
    this.#closed = true;
    await this.#exited;
  }

  #settle(response: Response): void {
    const answer = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('error' in response) answer?.reject(unpackError(response.error));
    else answer?.resolve(response.result);
  }

  #fail(error: unknown): void {
    this.#closed = true;
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }
}

function closed(): SqliteLogError {
  return new SqliteLogError({
    code: 'LOG_CLOSED',
    message: 'Expected an open log, found it closed. Open it again.',
    remedy: 'stop',
  });
}
