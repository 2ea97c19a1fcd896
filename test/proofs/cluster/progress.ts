import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaLog } from '@residency/adapter-kafka';

const LOOK_EVERY_MS = 500;

/** How far routers have come, looked at again and again. Only what waits for them asks it; it judges nothing. */
export class Progress {
  /** Records. */
  settled = 0;
  #waiting = Infinity;
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;

  /** `look`: done with each look. */
  constructor(log: KafkaLog, look: () => Promise<void>) {
    this.#looking = this.#look(log, look);
  }

  /** Until so many are settled. */
  async until(settled: number, signal: AbortSignal): Promise<void> {
    while (this.settled < settled && !signal.aborted) await sleep(50);
  }

  /** Until everything on the log is settled; `false`: not before `signal`. */
  async untilNothingWaits(signal: AbortSignal): Promise<boolean> {
    // What was last seen may be older than what was last published.
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
        // A broker is down: the next look tells.
      }
      await look();
      await sleep(LOOK_EVERY_MS);
    }
  }
}

function sum(offsets: ReadonlyMap<number, bigint>): number {
  return Number([...offsets.values()].reduce((total, each) => total + each, 0n));
}
