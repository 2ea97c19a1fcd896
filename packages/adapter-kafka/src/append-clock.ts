import { KafkaLogError } from './kafka-log-error.ts';

/**
 * The largest accepted difference between brokers' clocks, milliseconds (DESIGN §3 "Time"). Routers
 * wait as long before they trust a watermark.
 */
const DEFAULT_MARGIN_MS = 1_000;

/**
 * The append times of one partition, as a view reads them. After a change of leader another
 * broker's clock stamps records, so a step back within the margin is expected. After a larger step,
 * earlier decisions may have missed a record, so the view stops.
 */
export class AppendClock {
  readonly #topic: string;
  readonly #marginMs: number;
  #latest = 0;

  constructor(topic: string, marginMs: number = DEFAULT_MARGIN_MS) {
    this.#topic = topic;
    this.#marginMs = marginMs;
  }

  /**
   * The latest append time seen; 0: none. Every record appended before it, less the margin, has
   * been seen.
   */
  get latest(): number {
    return this.#latest;
  }

  /** Throws `APPEND_TIME_WENT_BACK`. */
  see(at: number): void {
    if (at < this.#latest - this.#marginMs) {
      throw new KafkaLogError({
        code: 'APPEND_TIME_WENT_BACK',
        remedy: 'stop',
        message: `Expected append times on ${this.#topic} to go back by at most ${this.#marginMs} ms, found ${this.#latest - at} ms. Set the brokers' clocks right, look at what was decided meanwhile (residency adjudicate), then start again.`,
      });
    }
    this.#latest = Math.max(this.#latest, at);
  }
}
