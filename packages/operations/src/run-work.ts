import { codeOf, remedyOf } from '@residency/coded-error';
import type { FastifyInstance } from 'fastify';
import { Health } from './health.ts';
import type { Operations } from './operations-routes.ts';
import type { Service } from './run-service.ts';
import { startOperations } from './start-operations.ts';
import type { OperationsServer } from './start-operations.ts';

export interface WorkTerms {
  /** What the process does, as its readiness and its log name it, such as `routing`. */
  readonly name: string;
  readonly http: { readonly host: string; readonly port: number };
  readonly logger: {
    info(message: string, fields?: object): void;
    warn(message: string, fields?: object): void;
  };
  readonly metrics: { waiting(code: string | undefined): void; render: Operations['metrics'] };
  /** Beside probes and metrics. */
  readonly routes?: (app: FastifyInstance) => void;
  /** A server of the service's own, with these probes and metrics among its routes: its requests are finished before the work is ended. */
  readonly serve?: (operations: Operations) => Promise<OperationsServer>;
  /** Until its signal is aborted. Rejects with what needs a person. */
  readonly work: (context: WorkContext) => Promise<void>;
  /** After the work and the server ended. */
  readonly close?: () => void | Promise<void>;
}

export interface WorkContext {
  readonly signal: AbortSignal;
  /** Told of each error that is tried again, with what its line says besides, and `undefined` once the work goes on. */
  readonly waits: (error: unknown, fields?: object) => void;
  /** Everything is as it must be; the work begins. */
  readonly started: () => void;
}

export interface RunningWork extends Service {
  readonly url: string;
}

/** Probes and metrics answer from the start, whatever the work waits for. Throws what `serve` or `startOperations` throws; then nothing works. */
export async function runWork(terms: WorkTerms): Promise<RunningWork> {
  const health = new Health(terms.name);
  const stopping = new AbortController();
  const operations: Operations = {
    live: () => health.live,
    ready: () => health.readiness(),
    metrics: () => terms.metrics.render(),
  };
  const server = await (terms.serve === undefined
    ? startOperations({
        ...terms.http,
        ...operations,
        ...(terms.routes === undefined ? {} : { routes: terms.routes }),
      })
    : terms.serve(operations));
  const { signal } = stopping;
  const ended = terms
    .work({
      signal,
      waits: waiting(terms, health),
      started: () => {
        health.started();
      },
    })
    .catch((error: unknown) => {
      // Told to stop while it waited: what did not come up is no finding.
      if (signal.aborted && remedyOf(error) === 'retry') return;
      health.failed();
      throw error;
    });
  // Whoever awaits `ended` hears of a failure; nobody is obliged to.
  ended.catch(() => undefined);
  const finish = async (): Promise<void> => {
    health.stopping();
    if (terms.serve !== undefined) await server.close();
    stopping.abort();
    await ended.catch(() => undefined);
    await server.close();
    await terms.close?.();
  };
  let finished: Promise<void> | undefined;
  return { url: server.url, ended, stop: () => (finished ??= finish()) };
}

/** A line when it begins to wait, or waits for something else, and one when it goes on. */
function waiting({ name, logger, metrics }: WorkTerms, health: Health): WorkContext['waits'] {
  const work = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  let since: number | undefined;
  return (error, fields = {}) => {
    const code = codeOf(error);
    if (health.waits(code)) logger.warn(`${work} waits.`, { ...fields, error });
    metrics.waiting(code);
    if (code !== undefined) since ??= performance.now();
    else if (since !== undefined) {
      logger.info(`${work} goes on.`, { milliseconds: Math.round(performance.now() - since) });
      since = undefined;
    }
  };
}
