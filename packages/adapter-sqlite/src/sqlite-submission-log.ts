import { hasCode, remedyOf } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts/log-record';
import { BackOff } from '@residency/routing/back-off';
import { checkResult } from '@residency/routing/check-result';
import type {
  BackOffLimits,
  Batch,
  BatchResult,
  Blocked,
  ConsumeOptions,
  RouteBatch,
  SubmissionLog,
} from '@residency/routing';
import type { Condition } from '@residency/waiting';
import { pause } from '@residency/waiting/pause';
import { SqliteLogError } from './sqlite-log-error.ts';
import type { WallClock } from './clock.ts';
import { unpackRecord } from './wire.ts';
import type { WorkerClient } from './worker-client.ts';

export interface SubmissionLogOptions {
  readonly maxBatchRecords: number;
  /** The most bytes of a batch, unless a single record is larger. */
  readonly maxBatchBytes: number;
  /** The waits between attempts at a blocked batch. */
  readonly backOff: BackOffLimits;
  /**
   * How often an idle log is polled for appends of other processes, milliseconds. Appends of this
   * process are seen at once.
   */
  readonly pollMs: number;
  /** Called for each failure of the log itself before it is retried, for example a full disk. */
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
  readonly clock: WallClock;
  /** Notified of each append of this process. Appends of other processes are found by polling. */
  readonly appended: Condition;
}

/** The result of one batch. `failed`: a transient failure of the log itself. */
type Pass =
  | { readonly kind: 'settled' | 'idle' }
  | { readonly kind: 'blocked'; readonly blocked: Blocked; readonly settled: number }
  | { readonly kind: 'failed'; readonly error: SqliteLogError };

/**
 * The intake topic of the embedded log: one partition, one owner at a time (`acquireRoutingLock`).
 */
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
      const since = appended.version;
      const pass = await this.#pass(route, end, options);
      if (signal.aborted) return undefined;
      if (until === 'end' && pass.kind === 'idle') return undefined;
      if (until === 'end' && pass.kind === 'blocked' && !waitsForItsBatch(pass))
        return pass.blocked;
      if (pass.kind === 'failed' && until === 'end' && !hasCode(pass.error, 'FENCED'))
        throw pass.error;
      if (pass.kind === 'idle') await appended.wait({ since, ms: this.#options.pollMs, signal });
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
    const read = await passing(this.#read(end, signal));
    if (read instanceof SqliteLogError) return { kind: 'failed', error: read };
    if (read === undefined) return { kind: 'idle' };
    const { batch, control } = read;
    const result = await routed(route, batch);
    if (result === undefined) return { kind: 'idle' };
    checkResult(batch, result);
    const { settlements, blocked } = result;
    if (settlements.length > 0) {
      const { packSettlement } = await import('./pack-settlement.ts');
      const { settlement, transfer } = packSettlement(batch, settlements, control);
      const failure = await passing(
        this.#deps.worker.call('settle', [settlement, this.#deps.clock.read()], transfer),
      );
      if (failure instanceof SqliteLogError) return { kind: 'failed', error: failure };
    }
    settled?.(result, batch.partition);
    return blocked === undefined
      ? { kind: 'settled' }
      : { kind: 'blocked', blocked, settled: settlements.length };
  }

  /** The next batch; `undefined` if no record waits before `end`. */
  async #read(
    end: number,
    signal: AbortSignal,
  ): Promise<{ readonly batch: Batch; readonly control: number } | undefined> {
    const { maxBatchRecords: maxRecords, maxBatchBytes: maxBytes } = this.#options;
    const {
      extent: { settled, first },
      control,
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
      control,
      batch: {
        log: this.#deps.log,
        topic: TOPICS.samples,
        partition: 0,
        previous: settled === null ? null : BigInt(settled),
        records: records.map((record) => unpackRecord(TOPICS.samples, record)),
        signal,
      },
    };
  }
}

/** The records before it in its batch are settled now, so the next attempt finds its outcome. */
function waitsForItsBatch({ blocked, settled }: Extract<Pass, { kind: 'blocked' }>): boolean {
  return settled > 0 && hasCode(blocked.error, 'OWNER_UNSETTLED');
}

/** Returns the log's own transient failures as values. Other errors are thrown. */
async function passing<T>(step: Promise<T>): Promise<T | SqliteLogError> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof SqliteLogError && remedyOf(error) === 'retry') return error;
    throw error;
  }
}

/** `undefined`: the router abandoned the batch because it was stopped. */
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
