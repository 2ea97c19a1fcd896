import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaLog } from '@residency/adapter-kafka';

const LOOK_EVERY_MS = 500;

/** The routers' progress, polled. Only code that waits for them uses it; it judges nothing. */
export class Progress {
  /** The number of settled records. */
  settled = 0;
  #waiting = Infinity;
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;

  /** `look`: called at each poll. */
  constructor(log: KafkaLog, look: () => Promise<void>) {
    this.#looking = this.#look(log, look);
  }

  /** Waits until this many records are settled. */
  async until(settled: number, signal: AbortSignal): Promise<void> {
    while (this.settled < settled && !signal.aborted) await sleep(50);
  }

  /** Waits until everything on the log is settled. `false`: `signal` was aborted first. */
  async untilNothingWaits(signal: AbortSignal): Promise<boolean> {
    // The last poll may be older than the last publication.
    this.#waiting = Infinity;
    await sleep(2 * LOOK_EVERY_MS);
    while (this.#waiting > 0 && !signal.aborted) await sleep(50);
    return this.#waiting === 0;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #look(log: KafkaLog, look: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const lag = await log.lag();
        this.settled = sum(await log.committed());
        this.#waiting = sum(lag);
      } catch {
        // A broker is down. The next poll tries again.
      }
      await look();
      await sleep(LOOK_EVERY_MS);
    }
  }
}

function sum(offsets: ReadonlyMap<number, bigint>): number {
  return Number([...offsets.values()].reduce((total, each) => total + each, 0n));
}
