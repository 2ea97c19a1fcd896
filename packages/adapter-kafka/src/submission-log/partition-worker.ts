import { hasCode, remedyOf } from '@residency/coded-error';
import type { CodedError } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { BackOff, checkResult } from '@residency/routing';
import type { Batch, BatchResult, Blocked, RouteBatch } from '@residency/routing';
import type { Batch as Fetched } from 'kafkajs';
import { KafkaLogError } from '../kafka-log-error.ts';
import { pause } from '../reading/pause.ts';
import { Inbox } from './inbox.ts';
import type { Flow } from './inbox.ts';
import type { KafkaSubmissionLogOptions, TransactionResult } from './options.ts';
import { packSettlement } from './pack-settlement.ts';
import type { Progress } from './progress.ts';
import type { Owned } from './take-over.ts';
import { Withheld } from './transactional-producer.ts';
import type { Settling } from './transactional-producer.ts';

export interface WorkerDeps {
  readonly log: string;
  readonly options: KafkaSubmissionLogOptions;
  readonly route: RouteBatch;
  /** Aborted when the process stops: the batch in hand is finished, and no other one begun. */
  readonly stop: AbortSignal;
  readonly takeOver: (partition: number) => Promise<Owned>;
  /** The membership: rejects a heartbeat where the group moved on. */
  readonly flow: Flow & { heartbeat(): Promise<void> };
  readonly settled: (result: BatchResult, partition: number) => void;
  /** Everything before `next` is settled, or nobody's. */
  readonly reached: (partition: number, next: bigint) => void;
  /** Whether to go on waiting. */
  readonly blocked: (blocked: Blocked) => boolean;
  readonly failed: (error: unknown) => void;
  readonly retrying: (error: CodedError, partition: number) => void;
}

/** One partition from its assignment until it is taken away: takes it over, hands over batches, settles them. */
export class PartitionWorker {
  readonly partition: number;
  readonly #deps: WorkerDeps;
  readonly #lost = new AbortController();
  /** Lost or stopped: no batch is begun any more. */
  readonly #over: AbortSignal;
  readonly #inbox: Inbox;
  readonly #backOff: BackOff;
  #settled: bigint | null = null;
  /** What was sent to be settled and never answered. */
  #unsure: { readonly last: bigint; readonly result: BatchResult } | undefined;
  readonly done: Promise<void>;

  /** Begins once `before` resolves: what this process itself still does with the partition. */
  constructor(partition: number, deps: WorkerDeps, before: Promise<void>) {
    this.partition = partition;
    this.#deps = deps;
    this.#over = AbortSignal.any([this.#lost.signal, deps.stop]);
    this.#inbox = new Inbox({ partition, limits: deps.options, flow: deps.flow, over: this.#over });
    this.#backOff = new BackOff(deps.options.backOff, Math.random);
    this.done = this.#live(before);
  }

  get waiting(): Inbox['waiting'] {
    return this.#inbox.waiting;
  }

  /** It may be another's now: nothing is settled from here on. */
  lose(): void {
    this.#lost.abort();
  }

  accept(fetched: Fetched): boolean {
    return this.#inbox.accept(fetched);
  }

  async room(): Promise<void> {
    await this.#inbox.room();
  }

  skip(first: bigint, last: bigint): void {
    this.#inbox.skip(first, last);
  }

  async #live(before: Promise<void>): Promise<void> {
    try {
      await before;
      while (!this.#over.aborted) await this.#turn();
    } catch (error) {
      this.#deps.failed(error);
    }
  }

  async #turn(): Promise<void> {
    try {
      await this.#own();
    } catch (error) {
      await this.#waitAfter(error);
    }
  }

  /** With one producer, until the partition is lost; rejects where an outcome is not known. */
  async #own(): Promise<void> {
    const { settler, progress } = await this.#deps.takeOver(this.partition);
    try {
      this.#begin(progress);
      while (!this.#over.aborted) await this.#step(settler);
    } finally {
      this.#inbox.close();
      // What another worker of this process resumed since is not this one's to pause.
      if (!this.#lost.signal.aborted) this.#deps.flow.pause(this.partition);
      await settler.close();
    }
  }

  #begin({ settled, next }: Progress): void {
    this.#settled = settled;
    if (this.#unsure !== undefined && this.#unsure.last === settled)
      this.#deps.settled(this.#unsure.result, this.partition);
    this.#unsure = undefined;
    if (this.#over.aborted) return;
    this.#inbox.open(next);
    this.#deps.reached(this.partition, next);
  }

  async #step(settler: Owned['settler']): Promise<void> {
    const records = this.#inbox.take();
    if (records.length > 0) return await this.#handOver(records, settler);
    const { waiting } = this.#inbox;
    if (waiting !== undefined) this.#deps.reached(this.partition, waiting.from);
    return await this.#inbox.changed();
  }

  async #handOver(records: readonly LogRecord[], settler: Owned['settler']): Promise<void> {
    const { log, route, settled, blocked } = this.#deps;
    const batch: Batch = {
      log,
      topic: TOPICS.samples,
      partition: this.partition,
      previous: this.#settled,
      records,
      signal: this.#over,
    };
    const result = await routed(route, batch);
    if (result === undefined || this.#lost.signal.aborted) return;
    checkResult(batch, result);
    const last = records[result.settlements.length - 1]?.offset;
    if (last !== undefined) await this.#settle(last, result, settler);
    settled(result, this.partition);
    this.#inbox.putBack(records.slice(result.settlements.length));
    if (result.blocked !== undefined && blocked(result.blocked))
      await pause(this.#backOff.next(result.blocked.retryAfterMs), this.#over);
  }

  async #settle(last: bigint, result: BatchResult, settler: Owned['settler']): Promise<void> {
    const settling: Settling = {
      sends: packSettlement(result.settlements),
      next: last + 1n,
      beforeCommit: async () => {
        await this.#stillOurs();
      },
    };
    const since = performance.now();
    const told = (how: TransactionResult): void => {
      this.#deps.options.onTransaction?.(how, performance.now() - since);
    };
    try {
      await settler.commit(settling);
    } catch (error) {
      const withheld = error instanceof Withheld;
      if (!withheld) this.#unsure = { last, result };
      told(withheld ? 'abort' : 'unknown');
      throw withheld ? error.reason : error;
    }
    told('commit');
    this.#backOff.reset();
    this.#settled = last;
    this.#deps.reached(this.partition, last + 1n);
  }

  async #stillOurs(): Promise<void> {
    try {
      await this.#deps.flow.heartbeat();
    } catch (cause) {
      throw ownershipUnsure(this.partition, cause);
    }
    if (this.#lost.signal.aborted) throw ownershipUnsure(this.partition);
  }

  /** Goes up with what a person must look at; waits after what passes. */
  async #waitAfter(error: unknown): Promise<void> {
    if (!passes(error)) throw error;
    if (this.#over.aborted) return;
    this.#deps.retrying(error, this.partition);
    // Fenced: whether the partition is still ours is the group's to say, and it says so to a heartbeat. Taking it back before would fence its new owner.
    const atLeast = hasCode(error, 'FENCED') ? 2 * this.#deps.options.heartbeatIntervalMs : 0;
    await pause(Math.max(atLeast, this.#backOff.next()), this.#over);
  }
}

/** Unknown codes are unknown outcomes: a new producer and the audit log tell what happened. */
function passes(error: unknown): error is CodedError {
  return (
    error instanceof KafkaLogError && (remedyOf(error) === 'retry' || error.code === 'KAFKA_FAILED')
  );
}

/** `undefined`: the router gave the batch up because it was told to. */
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

function ownershipUnsure(partition: number, cause?: unknown): KafkaLogError {
  return new KafkaLogError({
    code: 'OWNERSHIP_UNSURE',
    remedy: 'retry',
    cause,
    message: `Expected the group to confirm partition ${partition} before its commit, found that it did not. The transaction was aborted; the records come again.`,
  });
}
