import { codeOf, remedyOf } from '@residency/coded-error';
import type { FastifyInstance } from 'fastify';
import { defined } from '@residency/defined';
import { Health } from './health.ts';
import type { Operations } from './operations-routes.ts';
import type { Service } from './run-service.ts';
import { startOperations } from './start-operations.ts';
import type { OperationsServer, OperationsOptions } from './start-operations.ts';

export interface WorkOptions {
  /** The name of the work in readiness and log, such as `routing`. */
  readonly name: string;
  readonly http: { readonly host: string; readonly port: number };
  readonly logger: {
    info(message: string, fields?: object): void;
    warn(message: string, fields?: object): void;
  };
  readonly metrics: { waiting(code: string | undefined): void; render: Operations['metrics'] };
  /** Routes besides probes and metrics. */
  readonly routes?: (app: FastifyInstance) => void;
  /** The routes' descriptions for `GET /`. */
  readonly paths?: Readonly<Record<string, string>>;
  /**
   * A server of the service's own, with these probes and metrics among its routes. Its requests are
   * finished before the work ends.
   */
  readonly serve?: (operations: Operations) => Promise<OperationsServer>;
  /** Runs until its signal is aborted. Rejects with an error that needs a person. */
  readonly work: (context: WorkContext) => Promise<void>;
  /** Called after the work and the server have ended. */
  readonly close?: () => void | Promise<void>;
}

export interface WorkContext {
  readonly signal: AbortSignal;
  /**
   * Called for each error before it is retried, with further fields for its log line, and with
   * `undefined` once the work goes on.
   */
  readonly waits: (error: unknown, fields?: WaitFields) => void;
  /** Call when all requirements of the start are met and the work begins. */
  readonly started: () => void;
  /** Call when operators pause or resume the work. `/readyz` shows it, regardless of waits. */
  readonly paused: (is: boolean) => void;
}

/** `position`: the record at which the work waits; readiness names it too. */
export interface WaitFields {
  readonly position?: string | undefined;
  readonly [field: string]: unknown;
}

export interface RunningWork extends Service {
  readonly url: string;
  /** Aborted once the work must end. */
  readonly signal: AbortSignal;
}

/**
 * Probes and metrics answer from the start, even while the work waits. Throws the errors of `serve`
 * and `startOperations`; then nothing runs.
 */
export async function runWork(options: WorkOptions): Promise<RunningWork> {
  const health = new Health(options.name);
  const stopping = new AbortController();
  const operations: Operations = {
    live: () => health.live,
    ready: () => health.readiness(),
    metrics: () => options.metrics.render(),
  };
  const server = await (options.serve === undefined
    ? startOperations({ ...operations, ...placeOf(options) })
    : options.serve(operations));
  const { signal } = stopping;
  const ended = options
    .work({
      signal,
      waits: waiting(options, health),
      started: () => {
        health.started();
      },
      paused: (is) => {
        health.paused(is);
      },
    })
    .catch((error: unknown) => {
      // Stopped while it waited: a retryable failure of the start is not reported.
      if (signal.aborted && remedyOf(error) === 'retry') return;
      health.failed();
      throw error;
    });
  // Callers that await `ended` receive the failure. Without such a caller it must not count as
  // unhandled.
  ended.catch(() => undefined);
  const finish = async (): Promise<void> => {
    health.stopping();
    if (options.serve !== undefined) await server.close();
    stopping.abort();
    await ended.catch(() => undefined);
    await server.close();
    await options.close?.();
  };
  let finished: Promise<void> | undefined;
  return { url: server.url, signal, ended, stop: () => (finished ??= finish()) };
}

function placeOf({
  http: { host, port },
  name,
  routes,
  paths,
}: WorkOptions): Omit<OperationsOptions, keyof Operations> {
  return {
    host,
    port,
    name,
    ...defined({ routes, paths }),
  };
}

/**
 * Logs a line when the work begins to wait, or waits for something else, and one when it continues.
 */
function waiting({ name, logger, metrics }: WorkOptions, health: Health): WorkContext['waits'] {
  const work = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  let since: number | undefined;
  return (error, fields = {}) => {
    const code = codeOf(error);
    if (health.waits(code, fields.position)) logger.warn(`${work} waits.`, { ...fields, error });
    metrics.waiting(code);
    if (code !== undefined) since ??= performance.now();
    else if (since !== undefined) {
      logger.info(`${work} goes on.`, { milliseconds: Math.round(performance.now() - since) });
      since = undefined;
    }
  };
}
