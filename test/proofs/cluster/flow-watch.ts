import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaLog } from '@residency/adapter-kafka';

const LOOK_EVERY_MS = 100;

/** Standstills, milliseconds. */
export interface Standstill {
  /** The longest time in which nothing was settled in any partition, though records waited. */
  readonly flowMs: number;
  /**
   * The longest time of the slowest partition. A partition settles batch by batch, so it stands
   * still for a batch at any time.
   */
  readonly partitionMs: number;
}

class Still {
  #at = performance.now();
  longestMs = 0;

  begin(now: number): void {
    this.#at = now;
    this.longestMs = 0;
  }

  note(moved: boolean, now: number): void {
    if (moved) this.#at = now;
    else this.longestMs = Math.max(this.longestMs, now - this.#at);
  }
}

/** The committed position of each partition, the next offset to settle, as it is by now. */
export type OnLook = (committed: ReadonlyMap<number, bigint>) => void;

/** Looks at the committed positions again and again. */
export class FlowWatch {
  readonly #log: Pick<KafkaLog, 'committed' | 'ends'>;
  readonly #next = new Map<number, bigint>();
  readonly #partitions = new Map<number, Still>();
  readonly #flow = new Still();
  readonly #onLook: OnLook;
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;

  constructor(log: Pick<KafkaLog, 'committed' | 'ends'>, onLook: OnLook = () => {}) {
    this.#log = log;
    this.#onLook = onLook;
    this.#looking = this.#look();
  }

  /** From now on. */
  begin(): void {
    const now = performance.now();
    for (const still of [this.#flow, ...this.#partitions.values()]) still.begin(now);
  }

  /** Since `begin`. */
  get standstill(): Standstill {
    return {
      flowMs: this.#flow.longestMs,
      partitionMs: Math.max(0, ...[...this.#partitions.values()].map(({ longestMs }) => longestMs)),
    };
  }

  /** Until every partition has moved since this call. */
  async untilAllMove(signal: AbortSignal): Promise<void> {
    const from = new Map(this.#next);
    while (
      !signal.aborted &&
      [...this.#next].some(([partition, next]) => next <= (from.get(partition) ?? -1n))
    )
      await sleep(LOOK_EVERY_MS);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const committed = await this.#log.committed();
      this.#onLook(committed);
      const ends = await this.#log.ends('threat.samples');
      const now = performance.now();
      // Where nothing waits nothing stands still.
      const moved = [...ends].map(([partition, end]) =>
        this.#note(partition, committed.get(partition) ?? 0n, end, now),
      );
      this.#flow.note(moved.includes(true), now);
      await sleep(LOOK_EVERY_MS);
    }
  }

  #note(partition: number, next: bigint, end: bigint, now: number): boolean {
    const still = this.#partitions.get(partition) ?? new Still();
    this.#partitions.set(partition, still);
    const moved = next !== this.#next.get(partition) || next >= end;
    this.#next.set(partition, next);
    still.note(moved, now);
    return moved;
  }
}
