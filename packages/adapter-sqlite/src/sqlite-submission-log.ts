import { hasCode, remedyOf } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import { BackOff, checkResult } from '@residency/routing';
import type {
  BackOffLimits,
  Batch,
  BatchResult,
  Blocked,
  ConsumeOptions,
  RouteBatch,
  SubmissionLog,
} from '@residency/routing';
import { packSettlement } from './pack-settlement.ts';
import { pause } from './pause.ts';
import { SqliteLogError } from './sqlite-log-error.ts';
import type { WakeUp } from './wake-up.ts';
import { unpackRecord } from './wire.ts';
import type { WorkerClient } from './worker-client.ts';

export interface SubmissionLogOptions {
  readonly maxBatchRecords: number;
  /** Of a batch, unless a single record is larger. */
  readonly maxBatchBytes: number;
  /** Between attempts at a blocked batch. */
  readonly backOff: BackOffLimits;
  /** How often other processes' appends are looked for while idle, milliseconds; this one's own are seen at once. */
  readonly pollMs: number;
  /** Told of each failure of the log itself that is tried again, such as a full disk. */
  readonly onRetry?: (error: SqliteLogError) => void;
}

export const SUBMISSION_LOG_DEFAULTS: SubmissionLogOptions = {
  maxBatchRecords: 500,
  maxBatchBytes: 32 * 1024 * 1024,
  backOff: { firstMs: 100, mostMs: 5_000 },
  pollMs: 100,
};

export interface SubmissionLogDeps {
  readonly log: string;
  readonly worker: WorkerClient;
  readonly now: () => number;
  readonly appended: WakeUp;
}

/** What became of one batch. `failed`: the log itself, in a way that passes. */
type Pass =
  | { readonly kind: 'settled' | 'idle' }
  | { readonly kind: 'blocked'; readonly blocked: Blocked; readonly settled: number }
  | { readonly kind: 'failed'; readonly error: SqliteLogError };

/** The intake topic of the embedded log: one partition, one owner at a time (`acquireRoutingLock`). */
export class SqliteSubmissionLog implements SubmissionLog {
  readonly #deps: SubmissionLogDeps;
  readonly #options: SubmissionLogOptions;

  constructor(deps: SubmissionLogDeps, options: SubmissionLogOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async consume(route: RouteBatch, options: ConsumeOptions): Promise<Blocked | undefined> {
    const { until, signal } = options;
    const { worker, appended } = this.#deps;
    const end = until === 'end' ? (await worker.call('extent', [TOPICS.samples])).next : Infinity;
    const backOff = new BackOff(this.#options.backOff, Math.random);
    while (!signal.aborted) {
      const ticket = appended.ticket();
      const pass = await this.#pass(route, end, options);
      if (signal.aborted) return undefined;
      if (until === 'end' && pass.kind === 'idle') return undefined;
      if (until === 'end' && pass.kind === 'blocked') return pass.blocked;
      if (pass.kind === 'failed' && until === 'end' && !hasCode(pass.error, 'FENCED'))
        throw pass.error;
      if (pass.kind === 'idle') await appended.wait(ticket, this.#options.pollMs, signal);
      else await this.#waitAfter(pass, backOff, signal);
    }
    return undefined;
  }

  async #waitAfter(pass: Pass, backOff: BackOff, signal: AbortSignal): Promise<void> {
    if (pass.kind === 'settled' || (pass.kind === 'blocked' && pass.settled > 0)) backOff.reset();
    if (pass.kind === 'blocked') await pause(backOff.next(pass.blocked.retryAfterMs), signal);
    if (pass.kind === 'failed') {
      this.#options.onRetry?.(pass.error);
      await pause(backOff.next(), signal);
    }
  }

  async #pass(route: RouteBatch, end: number, { signal, settled }: ConsumeOptions): Promise<Pass> {
    const batch = await passing(this.#read(end, signal));
    if (batch instanceof SqliteLogError) return { kind: 'failed', error: batch };
    if (batch === undefined) return { kind: 'idle' };
    const result = await routed(route, batch);
    if (result === undefined) return { kind: 'idle' };
    checkResult(batch, result);
    const { settlements, blocked } = result;
    if (settlements.length > 0) {
      const { settlement, transfer } = packSettlement(batch, settlements);
      const failure = await passing(
        this.#deps.worker.call('settle', [settlement, this.#deps.now()], transfer),
      );
      if (failure instanceof SqliteLogError) return { kind: 'failed', error: failure };
    }
    settled?.(result, batch.partition);
    return blocked === undefined
      ? { kind: 'settled' }
      : { kind: 'blocked', blocked, settled: settlements.length };
  }

  /** The next batch; `undefined` where nothing waits before `end`. */
  async #read(end: number, signal: AbortSignal): Promise<Batch | undefined> {
    const { maxBatchRecords: maxRecords, maxBatchBytes: maxBytes } = this.#options;
    const {
      extent: { settled, first },
      records,
    } = await this.#deps.worker.call('batch', [{ maxRecords, maxBytes }]);
    const from = (settled ?? -1) + 1;
    if (first > from) {
      throw new SqliteLogError({
        code: 'PROGRESS_LOST',
        message: `Expected the intake log to hold offset ${from}, the first one not settled, found it begins at ${first}: unsettled records are gone. Stop and restore the log; nothing is skipped.`,
        remedy: 'stop',
      });
    }
    if (from >= end || records.length === 0) return undefined;
    return {
      log: this.#deps.log,
      topic: TOPICS.samples,
      partition: 0,
      previous: settled === null ? null : BigInt(settled),
      records: records.map((record) => unpackRecord(TOPICS.samples, record)),
      signal,
    };
  }
}

/** The log's own failures that pass become values; all others go up. */
async function passing<T>(step: Promise<T>): Promise<T | SqliteLogError> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof SqliteLogError && remedyOf(error) === 'retry') return error;
    throw error;
  }
}

/** `undefined`: the router gave the batch up because it was told to stop. */
async function routed(route: RouteBatch, batch: Batch): Promise<BatchResult | undefined> {
  try {
    return await route(batch);
  } catch (error) {
    if (
      batch.signal.aborted &&
      (error === batch.signal.reason || (error instanceof Error && error.name === 'AbortError'))
    )
      return undefined;
    throw error;
  }
}
