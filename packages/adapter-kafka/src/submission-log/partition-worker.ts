import { hasCode, remedyOf } from '@residency/coded-error';
import type { CodedError } from '@residency/coded-error';
import { TOPICS } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { BackOff, checkResult } from '@residency/routing';
import type { Batch, BatchResult, Blocked, RouteBatch } from '@residency/routing';
import { pause } from '@residency/waiting';
import type { Batch as Fetched } from 'kafkajs';
import { ROUTED_TOPICS, requireUnchanged } from '../identity/log-identity.ts';
import type { TopicIds } from '../identity/topic-ids.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { Inbox } from './inbox.ts';
import type { Flow } from './inbox.ts';
import type { KafkaSubmissionLogOptions, TransactionResult } from './options.ts';
import { ownershipUnsure } from './ownership-unsure.ts';
import { packSettlement } from './pack-settlement.ts';
import type { Progress } from './progress.ts';
import type { Owned } from './take-over.ts';
import { Withheld } from './transactional-producer.ts';
import type { Settling } from './transactional-producer.ts';

export interface WorkerDeps {
  readonly log: string;
  readonly options: KafkaSubmissionLogOptions;
  readonly route: RouteBatch;
  /** Aborted when the process stops. The current batch is finished, and no other begins. */
  readonly stop: AbortSignal;
  readonly takeOver: (partition: number) => Promise<Owned>;
  /** The topics' current ids. Called before each commit. */
  readonly topicIds: () => Promise<TopicIds | undefined>;
  /** `heartbeat` rejects if the group has a new generation. */
  readonly flow: Flow & { heartbeat(): Promise<void> };
  readonly settled: (result: BatchResult, partition: number) => void;
  /**
   * Called when all records before `next` are settled; markers and aborted records count as
   * settled.
   */
  readonly reached: (partition: number, next: bigint) => void;
  /** Called with a block. Returns whether to keep waiting. */
  readonly blocked: (blocked: Blocked) => boolean;
  readonly failed: (error: unknown) => void;
  readonly retrying: (error: CodedError, partition: number) => void;
}

/**
 * One partition from its assignment to its revocation: takes it over, hands over batches, settles
 * them in order. A batch is placed while the one before it commits (docs/decisions/0029).
 */
export class PartitionWorker {
  readonly partition: number;
  readonly #deps: WorkerDeps;
  readonly #lost = new AbortController();
  /** Aborted when the partition is lost or the process stops: no further batch begins. */
  readonly #over: AbortSignal;
  readonly #inbox: Inbox;
  readonly #backOff: BackOff;
  /** The last offset that is settled, or that will be settled before any later one. */
  #previous: bigint | null = null;
  /** The commit of the previous batch, while it is in flight or after it failed. */
  #commit: Promise<void> | undefined;
  /** The topics' ids at the take-over. */
  #ids: TopicIds | undefined;
  /** The commit whose outcome is unknown. */
  #unsure: { readonly last: bigint; readonly result: BatchResult } | undefined;
  readonly done: Promise<void>;

  /**
   * Begins once `before` resolves: an earlier worker of this process for the partition has ended.
   */
  constructor(partition: number, deps: WorkerDeps, before: Promise<void>) {
    this.partition = partition;
    this.#deps = deps;
    this.#over = AbortSignal.any([this.#lost.signal, deps.stop]);
    this.#inbox = new Inbox({ partition, limits: deps.options, flow: deps.flow, over: this.#over });
    this.#backOff = new BackOff(deps.options.backOff, Math.random);
    this.done = this.#run(before);
  }

  get waiting(): Inbox['waiting'] {
    return this.#inbox.waiting;
  }

  /** The partition may belong to another member now, so nothing more is settled. */
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

  async #run(before: Promise<void>): Promise<void> {
    try {
      await before;
      while (!this.#over.aborted) await this.#runOnce();
    } catch (error) {
      this.#deps.failed(error);
    }
  }

  async #runOnce(): Promise<void> {
    try {
      await this.#acquireAndProcess();
    } catch (error) {
      await this.#waitAfter(error);
    }
  }

  /** Works with one producer until the partition is lost. Rejects if an outcome is unknown. */
  async #acquireAndProcess(): Promise<void> {
    const { settler, progress } = await this.#deps.takeOver(this.partition);
    try {
      this.#begin(progress);
      while (!this.#over.aborted) await this.#processNext(settler);
      await this.#commit;
    } finally {
      await Promise.allSettled([this.#commit]);
      this.#commit = undefined;
      this.#inbox.close();
      // A newer worker of this process may have resumed the partition; then do not pause it.
      if (!this.#lost.signal.aborted) this.#deps.flow.pause(this.partition);
      await settler.close();
    }
  }

  #begin({ settled, next, ids }: Progress): void {
    this.#previous = settled;
    this.#ids = ids;
    if (this.#unsure !== undefined && this.#unsure.last === settled)
      this.#deps.settled(this.#unsure.result, this.partition);
    this.#unsure = undefined;
    if (this.#over.aborted) return;
    this.#inbox.open(next);
    this.#deps.reached(this.partition, next);
  }

  async #processNext(settler: Owned['settler']): Promise<void> {
    const records = this.#inbox.take();
    if (records.length > 0) return await this.#handOver(records, settler);
    if (this.#commit !== undefined)
      return await Promise.race([this.#commit, this.#inbox.changed()]);
    const { waiting } = this.#inbox;
    if (waiting !== undefined) this.#deps.reached(this.partition, waiting.from);
    return await this.#inbox.changed();
  }

  async #handOver(records: readonly LogRecord[], settler: Owned['settler']): Promise<void> {
    const { log, route, blocked } = this.#deps;
    const batch: Batch = {
      log,
      topic: TOPICS.samples,
      partition: this.partition,
      previous: this.#previous,
      records,
      signal: this.#over,
    };
    const result = await routed(route, batch);
    // If it failed, these records come again after those before them.
    await this.#commit;
    if (result === undefined || this.#lost.signal.aborted) return;
    checkResult(batch, result);
    const last = records[result.settlements.length - 1]?.offset;
    this.#commit = this.#settle(last, result, settler).then(() => {
      this.#commit = undefined;
    });
    // A failure is thrown where the commit is awaited: before the next one, or at the end.
    this.#commit.catch(() => undefined);
    if (result.blocked === undefined) return;
    await this.#commit;
    this.#inbox.putBack(records.slice(result.settlements.length));
    if (blocked(result.blocked))
      await pause(this.#backOff.next(result.blocked.retryAfterMs), this.#over);
  }

  /** `last`: of the settlements; `undefined`: there is none. */
  async #settle(
    last: bigint | undefined,
    result: BatchResult,
    settler: Owned['settler'],
  ): Promise<void> {
    if (last !== undefined) await this.#commitUpTo(last, result, settler);
    this.#deps.settled(result, this.partition);
  }

  async #commitUpTo(last: bigint, result: BatchResult, settler: Owned['settler']): Promise<void> {
    this.#previous = last;
    const settling: Settling = {
      sends: packSettlement(result.settlements, this.#ids),
      next: last + 1n,
      beforeCommit: async () => {
        await this.#stillOurs();
      },
    };
    const since = performance.now();
    const report = (how: TransactionResult): void => {
      this.#deps.options.onTransaction?.(how, performance.now() - since);
    };
    try {
      await settler.commit(settling);
    } catch (error) {
      const withheld = error instanceof Withheld;
      if (!withheld) this.#unsure = { last, result };
      report(withheld ? 'abort' : 'unknown');
      throw withheld ? error.reason : error;
    }
    report('commit');
    this.#backOff.reset();
    this.#deps.reached(this.partition, last + 1n);
  }

  async #stillOurs(): Promise<void> {
    // The heartbeat comes last. However long the steps before it take, the group has confirmed the
    // partition after them.
    await this.#sameTopics();
    try {
      await this.#deps.flow.heartbeat();
    } catch (cause) {
      throw ownershipUnsure(this.partition, cause);
    }
    if (this.#lost.signal.aborted) throw ownershipUnsure(this.partition);
  }

  /**
   * Checks that the records fetched since the take-over come from these topics, not from topics
   * that were recreated meanwhile.
   */
  async #sameTopics(): Promise<void> {
    await requireUnchanged(ROUTED_TOPICS, this.#ids, this.#deps.topicIds);
  }

  /** Waits after a transient error. Rethrows an error that needs a person. */
  async #waitAfter(error: unknown): Promise<void> {
    if (!passes(error)) throw error;
    if (this.#over.aborted) return;
    this.#deps.retrying(error, this.partition);
    // Fenced: only the group can say whether the partition is still owned, in its answer to a
    // heartbeat. To take it back before that would fence its new owner.
    const atLeast = hasCode(error, 'FENCED') ? 2 * this.#deps.options.heartbeatIntervalMs : 0;
    await pause(Math.max(atLeast, this.#backOff.next()), this.#over);
  }
}

/** An unknown error code is an unknown outcome. After the next fence, the audit log shows it. */
function passes(error: unknown): error is CodedError {
  return (
    error instanceof KafkaLogError && (remedyOf(error) === 'retry' || error.code === 'KAFKA_FAILED')
  );
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
