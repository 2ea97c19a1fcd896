import type { Headers } from '@residency/cloudevents';

export interface NewStored {
  readonly key: Buffer | null;
  readonly headers: Headers;
  readonly value: Buffer | null;
}

export interface Stored extends NewStored {
  readonly offset: number;
  /** Append time by the leader's clock, milliseconds since the epoch. */
  readonly at: number;
  /** -1: none. */
  readonly producerId: number;
  readonly inTransaction: boolean;
  readonly marker?: 'commit' | 'abort';
}

interface Aborted {
  readonly producerId: number;
  readonly first: number;
  readonly last: number;
}

/** One partition of a topic: records, markers, and which transactions are open in it. */
export class PartitionLog {
  readonly topic: string;
  readonly partition: number;
  /** Index of the broker that leads it. */
  leader: number;
  #base = 0;
  #records: Stored[] = [];
  readonly #open = new Map<number, number>();
  /** The newest epoch seen of each producer id. */
  readonly #epochs = new Map<number, number>();
  #aborted: Aborted[] = [];
  readonly #waiting = new Set<() => void>();
  /** Sees every record that is appended, decided or not. */
  onAppend: ((stored: Stored) => void) | undefined;
  /** Sees that something changed. */
  onChanged: (() => void) | undefined;

  constructor(topic: string, partition: number, leader: number) {
    this.topic = topic;
    this.partition = partition;
    this.leader = leader;
  }

  get start(): number {
    return this.#base;
  }

  get end(): number {
    return this.#base + this.#records.length;
  }

  /** Everything before it is decided. */
  get lastStable(): number {
    let first = this.end;
    for (const offset of this.#open.values()) first = Math.min(first, offset);
    return first;
  }

  get undecided(): number {
    return this.#open.size;
  }

  epochOf(producerId: number): number {
    return this.#epochs.get(producerId) ?? -1;
  }

  append(
    records: readonly NewStored[],
    at: number,
    producer?: { readonly id: number; readonly epoch: number; readonly inTransaction: boolean },
  ): number {
    const first = this.end;
    for (const record of records) {
      const stored: Stored = {
        key: record.key,
        headers: record.headers,
        value: record.value,
        offset: this.end,
        at,
        producerId: producer?.id ?? -1,
        inTransaction: producer?.inTransaction ?? false,
      };
      this.#records.push(stored);
      this.onAppend?.(stored);
    }
    if (producer !== undefined) {
      this.#epochs.set(producer.id, producer.epoch);
      if (producer.inTransaction && !this.#open.has(producer.id))
        this.#open.set(producer.id, first);
    }
    this.#announce();
    return first;
  }

  /** Ends everything `producerId` has open here. */
  mark(producerId: number, epoch: number, marker: 'commit' | 'abort', at: number): void {
    const first = this.#open.get(producerId);
    const key = Buffer.from([0, 0, 0, marker === 'abort' ? 0 : 1]);
    const offset = this.end;
    this.#records.push({
      offset,
      at,
      key,
      headers: [],
      value: null,
      producerId,
      inTransaction: true,
      marker,
    });
    this.#epochs.set(producerId, epoch);
    if (first !== undefined && marker === 'abort')
      this.#aborted.push({ producerId, first, last: offset });
    this.#open.delete(producerId);
    this.#announce();
  }

  at(offset: number): Stored | undefined {
    return this.#records[offset - this.#base];
  }

  slice(from: number, to: number): Stored[] {
    return this.#records.slice(Math.max(0, from - this.#base), Math.max(0, to - this.#base));
  }

  abortedWithin(from: number, to: number): Aborted[] {
    return this.#aborted.filter(({ first, last }) => first < to && last >= from);
  }

  /** Whether readers of committed records see it; for decided offsets. */
  visible(stored: Stored): boolean {
    return (
      stored.marker === undefined &&
      !(
        stored.inTransaction &&
        this.#aborted.some(
          ({ producerId, first, last }) =>
            producerId === stored.producerId && first <= stored.offset && stored.offset < last,
        )
      )
    );
  }

  /** Retention: records before `offset` are gone. */
  deleteBefore(offset: number): void {
    const count = Math.min(Math.max(0, offset - this.#base), this.#records.length);
    this.#records = this.#records.slice(count);
    this.#base += count;
  }

  /**
   * An unclean election: records from `offset` on are gone, and whoever leads now never saw them.
   */
  truncate(offset: number): Stored[] {
    const gone = this.#records.splice(Math.max(0, offset - this.#base));
    for (const [id, first] of this.#open) if (first >= offset) this.#open.delete(id);
    this.#aborted = this.#aborted.filter(({ first }) => first < offset);
    this.#announce();
    return gone;
  }

  /** The topic was deleted and made anew. */
  reset(): void {
    this.#records = [];
    this.#base = 0;
    this.#open.clear();
    this.#epochs.clear();
    this.#aborted = [];
    this.#announce();
  }

  /** Called once at the next change. */
  onChange(run: () => void): void {
    this.#waiting.add(run);
  }

  forget(run: () => void): void {
    this.#waiting.delete(run);
  }

  #announce(): void {
    this.onChanged?.();
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const run of waiting) run();
  }
}
