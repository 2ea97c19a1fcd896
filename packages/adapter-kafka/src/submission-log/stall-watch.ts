import { TOPICS } from '@residency/contracts';
import { pause } from '@residency/waiting';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { IntakeReads } from './intake-reads.ts';

export interface Watched {
  /** The time of the consumer's last sign of life. */
  readonly aliveAt: number;
  /** When a rebalance began after which it has not joined yet. */
  readonly rejoiningSince?: number | undefined;
}

export interface WatchedWorker {
  readonly partition: number;
  readonly waiting: { readonly since: number; readonly from: bigint } | undefined;
}

/**
 * Detects a consumer that does not resume (kafkajs #1720, #659): it fetches nothing and reports no
 * error. And one whose join failed after its group had taken it (a lost answer to SyncGroup): kafkajs
 * goes on to fetch and to send heartbeats with the former assignment, and never says that it joined.
 */
export class StallWatch {
  readonly #reads: IntakeReads;
  readonly #stallMs: number;

  constructor(reads: IntakeReads, stallMs: number) {
    this.#reads = reads;
    this.#stallMs = stallMs;
  }

  /** Resolves with `CONSUMER_STALLED`, or with `undefined` once `signal` is aborted. */
  async watch(
    member: Watched,
    workers: () => Iterable<WatchedWorker>,
    signal: AbortSignal,
  ): Promise<KafkaLogError | undefined> {
    let [silent, outside] = [0, 0];
    while (!signal.aborted) {
      await pause(this.#stallMs / 4, signal);
      const before = performance.now() - this.#stallMs;
      // Two checks in a row: to a process that was itself frozen, every consumer seems silent.
      silent = member.aliveAt < before ? silent + 1 : 0;
      if (silent > 1) return stalled('the consumer gave no sign of life');
      outside = (member.rejoiningSince ?? Infinity) < before ? outside + 1 : 0;
      if (outside > 1) return stalled('it did not join again after a rebalance');
      const late = [...workers()].filter(
        ({ waiting }) => waiting !== undefined && waiting.since < before,
      );
      const starved = await this.#starved(late, before);
      if (starved !== undefined && !signal.aborted)
        return stalled(`no record of partition ${starved} was handed over, though some wait`);
    }
    return undefined;
  }

  async #starved(late: readonly WatchedWorker[], before: number): Promise<number | undefined> {
    for (const worker of late) {
      const { decided } = await this.#reads
        .extent(TOPICS.samples, worker.partition)
        .catch(() => ({ decided: 0n }));
      // Check again: it may have resumed meanwhile.
      if (
        worker.waiting !== undefined &&
        worker.waiting.since < before &&
        worker.waiting.from < decided
      )
        return worker.partition;
    }
    return undefined;
  }
}

function stalled(found: string): KafkaLogError {
  return new KafkaLogError({
    code: 'CONSUMER_STALLED',
    remedy: 'retry',
    message: `Expected the consumer to make progress, found that ${found}. A new one is started.`,
  });
}
