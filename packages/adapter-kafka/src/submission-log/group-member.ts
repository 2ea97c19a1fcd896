import { atMost } from '@residency/waiting';
import type {
  Batch,
  Consumer,
  ConsumerEndBatchProcessEvent,
  EachBatchPayload,
  Kafka,
} from 'kafkajs';
import type { KafkaSubmissionLogOptions } from './options.ts';
import { SAME_LEVEL } from './same-level.ts';

/**
 * The longest time of a fetch. A partition that fetches again may wait that long for the others.
 */
const FETCH_WAIT_MS = 200;
const FETCH_BYTES = 1024 * 1024;
/** A join waits for the slowest member; a stop does not wait longer for a join. */
const STOP_WITHIN_MS = 10_000;

/**
 * Callbacks of kafkajs's consumer. All but `fetched` are called synchronously, so no fetch comes in
 * between.
 */
export interface MemberEvents {
  /** The partitions it owns from now on, instead of all it owned before. They are paused. */
  readonly joined: (partitions: readonly number[]) => void;
  /** A rebalance begins: the owned partitions may soon belong to another member. */
  readonly rebalancing: () => void;
  /**
   * Called with fetched records. Returns whether they were accepted, and a promise that resolves
   * once there is room for more. The promise resolves soon, because other partitions wait for it,
   * and never rejects.
   */
  readonly fetched: (batch: Batch) => { readonly taken: boolean; readonly room: Promise<void> };
  /** The offsets `first` to `last` hold only markers and aborted records. */
  readonly skipped: (partition: number, first: bigint, last: bigint) => void;
}

export interface MemberPlan {
  readonly group: string;
  readonly topic: string;
  readonly options: Pick<
    KafkaSubmissionLogOptions,
    'sessionTimeoutMs' | 'heartbeatIntervalMs' | 'maxBatchBytes'
  >;
}

/**
 * One consumer of the group, until it crashes or is closed; then it is not used again. kafkajs
 * sends heartbeats between its fetches. No batch is routed inside `eachBatch`, so nothing delays
 * them.
 */
export class GroupMember {
  readonly #consumer: Consumer;
  readonly #plan: MemberPlan;
  readonly #crash = Promise.withResolvers<unknown>();
  #heartbeat: (() => Promise<void>) | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  /** The time of its last sign of life. */
  #aliveAt = performance.now();
  #rejoiningSince: number | undefined;

  constructor(kafka: Kafka, plan: MemberPlan) {
    const {
      sessionTimeoutMs: sessionTimeout,
      heartbeatIntervalMs: heartbeatInterval,
      maxBatchBytes,
    } = plan.options;
    this.#plan = plan;
    this.#consumer = kafka.consumer({
      groupId: plan.group,
      partitionAssigners: [SAME_LEVEL],
      sessionTimeout,
      heartbeatInterval,
      allowAutoTopicCreation: false,
      maxBytesPerPartition: Math.max(maxBatchBytes, FETCH_BYTES),
      maxBytes: 4 * Math.max(maxBatchBytes, FETCH_BYTES),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      // The restart is decided here, not by kafkajs.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
  }

  /** Resolves with the reason once the consumer has ended. */
  get crashed(): Promise<unknown> {
    return this.#crash.promise;
  }

  get aliveAt(): number {
    return this.#aliveAt;
  }

  /** When a rebalance began after which it has not joined yet; `undefined`: it has joined. */
  get rejoiningSince(): number | undefined {
    return this.#rejoiningSince;
  }

  /** Resolves once it has joined the group. Rejects if the consumer cannot start. */
  async start(events: MemberEvents): Promise<void> {
    this.#listen(events);
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [this.#plan.topic], fromBeginning: true });
    this.#running = this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 64,
      eachBatch: async (payload) => {
        await this.#eachBatch(payload, events);
      },
    });
    await this.#running;
  }

  /**
   * Rejects if the group has a new generation, or does not answer. Sends a heartbeat only if the
   * last one is older than the interval.
   */
  async heartbeat(): Promise<void> {
    await this.#heartbeat?.();
  }

  /** Fetches from `offset` on. */
  resumeAt(partition: number, offset: bigint): void {
    if (this.#closed) return;
    this.#consumer.seek({ topic: this.#plan.topic, partition, offset: offset.toString() });
    this.resume(partition);
  }

  pause(partition: number): void {
    if (!this.#closed) this.#consumer.pause([{ topic: this.#plan.topic, partitions: [partition] }]);
  }

  resume(partition: number): void {
    if (!this.#closed)
      this.#consumer.resume([{ topic: this.#plan.topic, partitions: [partition] }]);
  }

  /** Leaves the group. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    // After a stop, kafkajs completes a join that was in progress.
    const joined =
      this.#running
        ?.catch(() => undefined)
        .then(async () => {
          await this.#disconnect();
        }) ?? this.#disconnect();
    await atMost(STOP_WITHIN_MS, joined);
  }

  async #disconnect(): Promise<void> {
    try {
      await this.#consumer.disconnect();
    } catch {
      // The consumer is gone in any case; the group notices by the session timeout.
    }
  }

  async #eachBatch(payload: EachBatchPayload, events: MemberEvents): Promise<void> {
    const { batch } = payload;
    this.#heartbeat = async () => {
      // Otherwise kafkajs would open a connection that is never closed, and the process would not
      // end.
      if (!payload.isRunning())
        throw new Error('Expected the consumer to be running, found it stopped.');
      await payload.heartbeat();
    };
    const last = batch.messages.at(-1);
    const { taken, room } = events.fetched(batch);
    if (taken && last !== undefined) payload.resolveOffset(last.offset);
    await room;
  }

  #listen({ joined, rebalancing, skipped }: MemberEvents): void {
    const consumer = this.#consumer;
    const { GROUP_JOIN, REBALANCING, END_BATCH_PROCESS, FETCH, HEARTBEAT, CRASH } = consumer.events;
    const alive = (): void => {
      this.#aliveAt = performance.now();
    };
    consumer.on(GROUP_JOIN, ({ payload }) => {
      alive();
      this.#rejoiningSince = undefined;
      const partitions = payload.memberAssignment[this.#plan.topic] ?? [];
      for (const partition of partitions) this.pause(partition);
      joined(partitions);
    });
    consumer.on(REBALANCING, () => {
      this.#rejoiningSince ??= performance.now();
      rebalancing();
    });
    consumer.on(END_BATCH_PROCESS, ({ payload }: ConsumerEndBatchProcessEvent) => {
      // kafkajs itself skips a fetch without visible records.
      if (payload.batchSize === 0)
        skipped(
          payload.partition,
          BigInt(payload.firstOffset ?? payload.lastOffset),
          BigInt(payload.lastOffset),
        );
    });
    consumer.on(FETCH, alive);
    consumer.on(HEARTBEAT, alive);
    consumer.on(CRASH, ({ payload }) => {
      this.#crash.resolve(payload.error);
    });
  }
}
