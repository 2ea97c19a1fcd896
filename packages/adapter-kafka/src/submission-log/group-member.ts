import type {
  Batch,
  Consumer,
  ConsumerEndBatchProcessEvent,
  EachBatchPayload,
  Kafka,
} from 'kafkajs';
import { atMost } from '../reading/pause.ts';
import type { KafkaSubmissionLogOptions } from './options.ts';

/** A fetch answers at the latest after this; so long a partition that fetches again may wait for those that do not. */
const FETCH_WAIT_MS = 200;
const FETCH_BYTES = 1024 * 1024;
/** A join waits for the slowest member; a stop does not wait longer for a join. */
const STOP_WITHIN_MS = 10_000;

/** What kafkajs's consumer tells of. All but `fetched` are called while it waits for nothing, so no fetch comes in between. */
export interface MemberEvents {
  /** The partitions it owns from now on, instead of all it owned before. They are paused. */
  readonly joined: (partitions: readonly number[]) => void;
  /** The group is about to change: what it owned may be another's soon. */
  readonly rebalancing: () => void;
  /** Resolves once more may be fetched; soon, for others wait. Never rejects. Returns whether the records were taken. */
  readonly fetched: (batch: Batch) => { readonly taken: boolean; readonly room: Promise<void> };
  /** From `first` to `last` nothing stands but markers and aborted records. */
  readonly skipped: (partition: number, first: bigint, last: bigint) => void;
}

export interface MemberPlan {
  readonly group: string;
  readonly topic: string;
  readonly options: KafkaSubmissionLogOptions;
}

/**
 * One consumer of the group, until it crashes or is closed; it is never used again then. Heartbeats are kafkajs's own: it sends them
 * between its fetches, and no batch is routed inside `eachBatch`, so nothing holds them up.
 */
export class GroupMember {
  readonly #consumer: Consumer;
  readonly #plan: MemberPlan;
  readonly #crash = Promise.withResolvers<unknown>();
  #heartbeat: (() => Promise<void>) | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  /** When it last gave a sign of life. */
  #aliveAt = performance.now();

  constructor(kafka: Kafka, plan: MemberPlan) {
    const {
      sessionTimeoutMs: sessionTimeout,
      heartbeatIntervalMs: heartbeatInterval,
      maxBatchBytes,
    } = plan.options;
    this.#plan = plan;
    this.#consumer = kafka.consumer({
      groupId: plan.group,
      sessionTimeout,
      heartbeatInterval,
      allowAutoTopicCreation: false,
      maxBytesPerPartition: Math.max(maxBatchBytes, FETCH_BYTES),
      maxBytes: 4 * Math.max(maxBatchBytes, FETCH_BYTES),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      // Whether and when it begins anew is not kafkajs's to say.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
  }

  /** Resolves with the reason once it will not go on by itself. */
  get crashed(): Promise<unknown> {
    return this.#crash.promise;
  }

  get aliveAt(): number {
    return this.#aliveAt;
  }

  /** Joins the group; resolves when it did. Rejects where it can not even begin. */
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

  /** Rejects where the group moved on, or does not answer. Sends one only if the last is older than the interval. */
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
    // kafkajs goes on with a join that was under way when it was told to stop.
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
      // It is gone all the same; the group notices.
    }
  }

  async #eachBatch(payload: EachBatchPayload, events: MemberEvents): Promise<void> {
    const { batch } = payload;
    this.#heartbeat = async () => {
      // kafkajs would open a connection for it that nobody closes, and the process would never end.
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
      const partitions = payload.memberAssignment[this.#plan.topic] ?? [];
      for (const partition of partitions) this.pause(partition);
      joined(partitions);
    });
    consumer.on(REBALANCING, () => {
      rebalancing();
    });
    consumer.on(END_BATCH_PROCESS, ({ payload }: ConsumerEndBatchProcessEvent) => {
      // kafkajs moves on by itself past a fetch of which nothing is left.
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
