import { EventEmitter } from 'node:events';
import { GROUP } from '../names.ts';
import { request } from '../network.ts';
import { here } from '../process.ts';
import type { SimProcess } from '../process.ts';
import { fetchFrom } from './fetch.ts';
import type { FetchedPartition, SimMessage } from './fetch.ts';
import type { Joined } from './group.ts';
import { noAnswer, typeOf } from './protocol-error.ts';

export interface ConsumerConfig {
  readonly groupId: string;
  readonly sessionTimeout: number;
  readonly heartbeatInterval: number;
  readonly maxWaitTimeInMs: number;
}

interface Payload {
  readonly batch: Batch;
  readonly resolveOffset: (offset: string) => void;
  readonly heartbeat: () => Promise<void>;
  readonly isRunning: () => boolean;
}

interface RunConfig {
  readonly eachBatch: (payload: Payload) => Promise<void>;
}

/**
 * As kafkajs's consumer makes it of a fetch: `messages` are for readers, the last offset is that of
 * whatever came.
 */
class Batch {
  readonly topic: string;
  readonly partition: number;
  readonly fetchedOffset: string;
  readonly messages: readonly SimMessage[];
  readonly #last: string;

  constructor(
    topic: string,
    from: number,
    { partition, messages, abortedTransactions }: FetchedPartition,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.fetchedOffset = String(from);
    this.messages = forReaders(messages, abortedTransactions);
    this.#last = messages.at(-1)?.offset ?? String(from - 1);
  }

  firstOffset(): string | null {
    return this.messages[0]?.offset ?? null;
  }

  lastOffset(): string {
    return this.#last;
  }
}

/**
 * kafkajs's consumer, as far as the adapter sees it: joins, heartbeats between its fetches, pauses,
 * seeks; crashes instead of beginning anew.
 */
export class SimConsumer {
  readonly events = {
    GROUP_JOIN: 'group_join',
    REBALANCING: 'rebalancing',
    END_BATCH_PROCESS: 'end_batch',
    FETCH: 'fetch',
    HEARTBEAT: 'heartbeat',
    CRASH: 'crash',
  } as const;
  readonly #config: ConsumerConfig;
  readonly #process: SimProcess = here();
  readonly #emitter = new EventEmitter();
  readonly #id: string;
  #topic = '';
  #running = false;
  #joined: Joined | undefined;
  #heartbeatAt = 0;
  readonly #positions = new Map<number, number>();
  readonly #paused = new Set<number>();
  #seeks = 0;

  constructor(config: ConsumerConfig) {
    this.#config = config;
    this.#id = `${this.#process.name}-${this.#process.random.int(1_000_000)}`;
  }

  on(event: string, listener: (event: { readonly payload: unknown }) => void): void {
    this.#emitter.on(event, listener);
  }

  async connect(): Promise<void> {
    await this.#ask('connect', () => undefined);
  }

  async subscribe({ topics }: { readonly topics: readonly string[] }): Promise<void> {
    this.#topic = topics[0] ?? '';
  }

  async run(config: RunConfig): Promise<void> {
    this.#running = true;
    await this.#join();
    void this.#loop(config);
  }

  seek({ partition, offset }: { readonly partition: number; readonly offset: string }): void {
    this.#positions.set(partition, Number(offset));
    this.#seeks += 1;
  }

  pause([{ partitions }]: readonly [{ readonly partitions: readonly number[] }]): void {
    for (const partition of partitions) this.#paused.add(partition);
  }

  resume([{ partitions }]: readonly [{ readonly partitions: readonly number[] }]): void {
    for (const partition of partitions) this.#paused.delete(partition);
  }

  async disconnect(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    await this.#ask('leave group', () => {
      this.#group().leave(this.#id);
    });
  }

  async #loop(config: RunConfig): Promise<void> {
    while (this.#running) {
      try {
        await this.#cycle(config);
      } catch (error) {
        if (!this.#running) return;
        const type = typeOf(error);
        if (type === 'REBALANCE_IN_PROGRESS') {
          this.#emit('REBALANCING', {});
          try {
            await this.#join();
            continue;
          } catch (failed) {
            this.#crash(failed);
            return;
          }
        }
        this.#crash(error);
        return;
      }
    }
  }

  #crash(error: unknown): void {
    if (!this.#running) return;
    this.#running = false;
    this.#emit('CRASH', { error, restart: false });
  }

  async #join(): Promise<void> {
    const { sessionTimeout } = this.#config;
    const group = this.#group();
    const id = this.#id;
    this.#joined = await request<Joined>({
      service: 'kafka',
      what: 'join group',
      silence: noAnswer,
      serve: (answer) => {
        group.join(id, sessionTimeout, answer);
      },
    });
    this.#heartbeatAt = this.#process.scheduler.now;
    group.heard(this.#process.name);
    if (!this.#running) return;
    this.#positions.clear();
    this.#emit('GROUP_JOIN', { memberAssignment: { [this.#topic]: [...this.#joined.partitions] } });
  }

  async #cycle(config: RunConfig): Promise<void> {
    await this.#heartbeat();
    const { maxWaitTimeInMs } = this.#config;
    const wanted = (this.#joined?.partitions ?? []).filter(
      (partition) => !this.#paused.has(partition) && this.#positions.has(partition),
    );
    if (wanted.length === 0) {
      // A custodian's partition stays paused: only heartbeats are due.
      await this.#pause(
        this.#config.groupId === GROUP ? maxWaitTimeInMs / 4 : this.#config.heartbeatInterval,
      );
      return;
    }
    const from = new Map(
      wanted.map((partition) => [partition, this.#positions.get(partition) ?? 0]),
    );
    const seeks = this.#seeks;
    let responses;
    try {
      ({ responses } = await fetchFrom({
        maxWaitTime: maxWaitTimeInMs,
        maxBytes: 2 ** 20,
        topics: [
          {
            topic: this.#topic,
            partitions: [...from].map(([partition, offset]) => ({
              partition,
              fetchOffset: String(offset),
            })),
          },
        ],
      }));
    } catch (error) {
      if (typeOf(error) !== 'OFFSET_OUT_OF_RANGE') throw error;
      // As kafkajs does with `fromBeginning`: back to the log's start, for every partition that is
      // out of range.
      for (const partition of wanted) {
        const log = this.#process.world.kafka.log(this.#topic, partition);
        const position = from.get(partition) ?? 0;
        if (position < log.start || position > log.end) this.#positions.set(partition, log.start);
      }
      await this.#pause(maxWaitTimeInMs);
      return;
    }
    this.#emit('FETCH', {});
    // What was fetched before a seek is not handed over.
    if (!this.#running || seeks !== this.#seeks) return;
    await Promise.all(
      responses
        .flatMap(({ partitions }) => partitions)
        .filter(({ messages }) => messages.length > 0)
        .map(async (fetched) => {
          await this.#process1(
            config,
            new Batch(this.#topic, from.get(fetched.partition) ?? 0, fetched),
            fetched.messages[0]?.offset ?? '0',
          );
        }),
    );
  }

  async #process1({ eachBatch }: RunConfig, batch: Batch, first: string): Promise<void> {
    const { partition } = batch;
    const seeks = this.#seeks;
    const resolve = (offset: string): void => {
      if (seeks === this.#seeks) this.#positions.set(partition, Number(offset) + 1);
    };
    if (batch.messages.length === 0) {
      resolve(batch.lastOffset());
      this.#emit('END_BATCH_PROCESS', {
        topic: this.#topic,
        partition,
        batchSize: 0,
        firstOffset: first,
        lastOffset: batch.lastOffset(),
      });
      return;
    }
    await eachBatch({
      batch,
      isRunning: () => this.#running,
      heartbeat: async () => {
        await this.#heartbeat();
      },
      resolveOffset: (offset) => {
        resolve(offset === batch.messages.at(-1)?.offset ? batch.lastOffset() : offset);
      },
    });
    this.#emit('END_BATCH_PROCESS', {
      topic: this.#topic,
      partition,
      batchSize: batch.messages.length,
      firstOffset: first,
      lastOffset: batch.lastOffset(),
    });
  }

  /** Only if the last one is older than the interval. */
  async #heartbeat(): Promise<void> {
    const { now } = this.#process.scheduler;
    if (now - this.#heartbeatAt < this.#config.heartbeatInterval) return;
    const generation = this.#joined?.generation ?? -1;
    await this.#ask('heartbeat', () => {
      this.#group().heartbeat(this.#id, generation);
    });
    this.#heartbeatAt = this.#process.scheduler.now;
    this.#group().heard(this.#process.name);
    this.#emit('HEARTBEAT', {});
  }

  #group(): ReturnType<SimProcess['world']['kafka']['group']> {
    return this.#process.world.kafka.group(this.#config.groupId);
  }

  async #ask(what: string, serve: () => void): Promise<void> {
    await request<undefined>({
      service: 'kafka',
      what,
      silence: noAnswer,
      serve: (answer) => {
        serve();
        answer.ok(undefined);
      },
    });
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process.after(ms, 'consumer idles', resolve);
    await promise;
  }

  #emit(event: keyof SimConsumer['events'], payload: unknown): void {
    this.#emitter.emit(this.events[event], { payload });
  }
}

function forReaders(
  messages: readonly SimMessage[],
  aborted: FetchedPartition['abortedTransactions'],
): SimMessage[] {
  const open = new Set<string>();
  const toCome = [...aborted].toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  return messages.filter(
    ({ offset, isControlRecord, key, batchContext: { producerId, inTransaction } }) => {
      while (toCome[0] !== undefined && Number(toCome[0].firstOffset) <= Number(offset))
        open.add(toCome.shift()?.producerId ?? '');
      if (!isControlRecord) return !(inTransaction && open.has(producerId));
      if (key?.readInt16BE(2) === 0) open.delete(producerId);
      return false;
    },
  );
}
