import { hasCode } from '@residency/coded-error';
import { TOPICS, custodyTopic } from '@residency/contracts';
import type { Blocked, ConsumeOptions, RouteBatch } from '@residency/routing';
import { pause, shareNext } from '@residency/waiting';
import type { Kafka } from 'kafkajs';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import type { TopicIds } from '../identity/topic-ids.ts';
import { routerGroup, topicName } from '../topic-name.ts';
import type { EndOfLog } from './end-of-log.ts';
import type { GroupMember, MemberEvents } from './group-member.ts';
import type { IntakeReads } from './intake-reads.ts';
import type { KafkaSubmissionLogOptions } from './options.ts';
import { PartitionWorker } from './partition-worker.ts';
import type { WorkerDeps } from './partition-worker.ts';
import { producerPlan } from './producer-plan.ts';
import { ProgressReader } from './progress-reader.ts';
import type { StallWatch } from './stall-watch.ts';
import { stayMember } from './stay-member.ts';
import type { Attendance } from './stay-member.ts';
import { takeOver } from './take-over.ts';
import type { Owned } from './take-over.ts';
import { watchUndecided } from './undecided-watch.ts';
import { TransactionalProducer } from './transactional-producer.ts';

const FOREIGN_LOOK_MS = 500;

export interface ConsumptionDeps {
  readonly kafka: Kafka;
  readonly settings: KafkaSettings;
  readonly diagnostics: KafkaDiagnostics;
  readonly options: KafkaSubmissionLogOptions;
  readonly reads: IntakeReads;
  readonly stalls: StallWatch;
  /** The number of partitions of the quarantine topic. */
  readonly quarantinePartitions: number;
  readonly route: RouteBatch;
  readonly consume: ConsumeOptions;
  /** Present if the consumption ends at the log's end. */
  readonly end?: EndOfLog;
}

/**
 * One call of `consume`. Joins the group, again after each failure, and runs a worker for each
 * assigned partition.
 */
export class Consumption {
  readonly #deps: ConsumptionDeps;
  /** Aborted when the consumption ends, for any reason. */
  readonly #stop = new AbortController();
  #workers = new Map<number, PartitionWorker>();
  #blocked: Blocked | undefined;
  #failure: { readonly error: unknown } | undefined;
  /**
   * Concurrent commits share one request for the topic ids, which begins after all of them asked.
   */
  readonly #topicIds: () => Promise<TopicIds | undefined>;

  constructor(deps: ConsumptionDeps) {
    this.#deps = deps;
    this.#topicIds = shareNext(async () => await deps.reads.topicIds());
  }

  async run(): Promise<Blocked | undefined> {
    const { signal } = this.#deps.consume;
    const stop = (): void => {
      this.#stop.abort();
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const looking = this.#lookAtForeignPartitions();
    try {
      await this.#members();
    } catch (error) {
      this.#fail(error);
    } finally {
      signal.removeEventListener('abort', stop);
      this.#stop.abort();
      await looking;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#blocked;
  }

  async #members(): Promise<void> {
    const {
      kafka,
      settings: { topicPrefix },
      options,
      diagnostics,
    } = this.#deps;
    await stayMember({
      kafka,
      plan: {
        group: routerGroup(topicPrefix),
        topic: topicName(topicPrefix, TOPICS.samples),
        options,
      },
      backOff: options.backOff,
      stop: this.#stop.signal,
      attend: (member, over, steady) => this.#attend(member, over, steady),
      failed: (error) => {
        diagnostics.warn('The consumer ended; a new one is started.', { code: error.code, error });
        options.onRetry?.(error);
      },
    });
  }

  #attend(member: GroupMember, over: AbortSignal, steady: () => void): Attendance {
    const { options, reads, stalls } = this.#deps;
    const progress = new ProgressReader(reads, options.regions.map(custodyTopic));
    void watchUndecided(
      {
        undecided: async () => await reads.undecided(),
        workers: () => this.#workers.values(),
        waits: (error, partition) => {
          options.onRetry?.(error, partition);
        },
        goesOn: (partition) => {
          options.onTakenOver?.(partition);
        },
      },
      over,
    );
    return {
      events: this.#events(member, progress, steady),
      watches: [stalls.watch(member, () => this.#workers.values(), over)],
      release: async () => {
        await this.#release();
      },
    };
  }

  #events(member: GroupMember, progress: ProgressReader, steady: () => void): MemberEvents {
    return {
      joined: (partitions) => {
        steady();
        this.#assign(partitions, member, progress);
      },
      rebalancing: () => {
        this.#loseAll();
      },
      fetched: (batch) => {
        const worker = this.#workers.get(batch.partition);
        return { taken: worker?.accept(batch) ?? false, room: worker?.room() ?? Promise.resolve() };
      },
      skipped: (partition, first, last) => {
        this.#workers.get(partition)?.skip(first, last);
      },
    };
  }

  #assign(partitions: readonly number[], member: GroupMember, progress: ProgressReader): void {
    this.#loseAll();
    const before = this.#workers;
    const deps = this.#workerDeps(member, progress);
    // At the end, also wait for workers of partitions that were revoked.
    const idle = [...before].filter(([partition]) => !partitions.includes(partition));
    const owned = partitions.map(
      (partition) =>
        [
          partition,
          new PartitionWorker(partition, deps, before.get(partition)?.done ?? Promise.resolve()),
        ] as const,
    );
    this.#workers = new Map([...idle, ...owned]);
    this.#deps.options.onRebalanced?.(partitions);
  }

  #loseAll(): void {
    for (const worker of this.#workers.values()) worker.lose();
  }

  /**
   * Leaves while the group still knows this member, so that others need not wait for finished work.
   */
  async #release(): Promise<void> {
    if (!this.#stop.signal.aborted) this.#loseAll();
    await Promise.all(
      [...this.#workers.values()].map(async ({ done }) => {
        await done;
      }),
    );
    this.#workers = new Map();
  }

  #workerDeps(member: GroupMember, progress: ProgressReader): WorkerDeps {
    const { settings, options, route, consume, diagnostics } = this.#deps;
    return {
      log: settings.log,
      options,
      route,
      stop: this.#stop.signal,
      flow: member,
      takeOver: async (partition) => {
        const owned = await this.#takeOver(partition, progress);
        options.onTakenOver?.(partition);
        return owned;
      },
      topicIds: this.#topicIds,
      settled: (result, partition) => {
        consume.settled?.(result, partition);
      },
      reached: (partition, next) => {
        this.#reached(partition, next);
      },
      blocked: (blocked) => this.#waitsFor(blocked),
      failed: (error) => {
        this.#fail(error);
      },
      retrying: (error, partition) => {
        diagnostics.debug('A partition begins anew.', { code: error.code, error, partition });
        options.onRetry?.(error, partition);
      },
    };
  }

  async #takeOver(partition: number, progress: ProgressReader): Promise<Owned> {
    const { kafka, settings, options, quarantinePartitions, reads, diagnostics } = this.#deps;
    const plan = producerPlan(settings, partition, { ...options, quarantinePartitions });
    return await takeOver(partition, {
      reads,
      progress,
      diagnostics,
      fenced: options.fenced,
      target: (topic) => plan.target(topic).partition,
      open: async () => await TransactionalProducer.open(kafka, plan),
    });
  }

  /**
   * With `until: 'end'`, waits only for blocks that end by themselves: views that are behind, or a
   * record that another partition is placing.
   */
  #waitsFor(blocked: Blocked): boolean {
    if (
      this.#deps.end === undefined ||
      hasCode(blocked.error, 'VIEW_BEHIND') ||
      hasCode(blocked.error, 'OWNER_UNSETTLED')
    )
      return true;
    if (this.#stop.signal.aborted) return false;
    this.#blocked = blocked;
    this.#stop.abort();
    return false;
  }

  #reached(partition: number, next: bigint): void {
    this.#deps.end?.note(partition, next);
    if (this.#deps.end?.reached === true) this.#stop.abort();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort();
  }

  /** The progress of other members is visible in their committed positions. */
  async #lookAtForeignPartitions(): Promise<void> {
    const { end, reads } = this.#deps;
    if (end === undefined) return;
    while (!this.#stop.signal.aborted) {
      await pause(FOREIGN_LOOK_MS, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      const committed = await reads.committed().catch(() => new Map<number, bigint>());
      for (const [partition, next] of committed) this.#reached(partition, next);
    }
  }
}
