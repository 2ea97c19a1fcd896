import type { KafkaLog } from '@residency/adapter-kafka';
import type { LedgerRecord, LedgerSource, SourceStart } from '@residency/auditing';
import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { withIdle } from './with-idle.ts';

/** The time without new records after which a checkpoint is due. */
const IDLE_MS = 250;

type Reads = Pick<KafkaLog, 'ends' | 'name' | 'readBatches' | 'starts'>;

/** One partition of a topic, read committed. */
export class KafkaLedgerSource implements LedgerSource {
  readonly log: string;
  readonly of: TopicPartition;
  readonly #reads: Reads;

  constructor(reads: Reads, of: TopicPartition) {
    this.log = reads.name;
    this.of = of;
    this.#reads = reads;
  }

  async *follow(
    { leaf, since, offset }: SourceStart,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LedgerRecord[]> {
    let from: { readonly at: number } | ReadonlyMap<number, bigint> | undefined =
      offset !== undefined
        ? await this.#within(offset)
        : leaf === 0 || since === 0
          ? undefined
          : { at: since };
    // Only a read with an end shows that all records were read: offsets have gaps, and a broker may
    // be slow.
    for await (const records of this.#read(from, 'end', signal)) {
      yield records;
      from = new Map([[this.of.partition, (records.at(-1)?.offset ?? 0n) + 1n]]);
    }
    if (signal.aborted) return;
    yield [];
    yield* withIdle((stop) => this.#read(from, 'aborted', stop), IDLE_MS, signal);
  }

  /** The log's start if the offset is not between its start and its end. */
  async #within(offset: bigint): Promise<ReadonlyMap<number, bigint> | undefined> {
    const { topic, partition } = this.of;
    const [starts, ends] = [await this.#reads.starts(topic), await this.#reads.ends(topic)];
    const [start, end] = [starts.get(partition) ?? 0n, ends.get(partition) ?? 0n];
    return offset < start || offset > end ? undefined : new Map([[partition, offset]]);
  }

  #read(
    from: { readonly at: number } | ReadonlyMap<number, bigint> | undefined,
    until: 'end' | 'aborted',
    signal: AbortSignal,
  ): ReturnType<Reads['readBatches']> {
    return this.#reads.readBatches(this.of.topic, {
      ...defined({ from }),
      partitions: [this.of.partition],
      until,
      signal,
    });
  }
}
