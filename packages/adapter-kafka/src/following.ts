import { remedyOf } from '@residency/coded-error';
import type { LogRecord, Topic } from '@residency/contracts';
import { pause } from '@residency/waiting';
import type { KafkaDiagnostics } from './diagnostics.ts';
import { KafkaLogError } from './kafka-log-error.ts';

export interface FollowingDeps {
  readonly topic: Topic;
  /** The log from an offset, or from its start. */
  readonly read: (
    from: bigint | undefined,
    until: 'end' | 'aborted',
  ) => AsyncGenerator<readonly LogRecord[]>;
  readonly add: (record: LogRecord) => void;
  readonly diagnostics: KafkaDiagnostics;
  /** Ends the reading in the background. */
  readonly signal: AbortSignal;
}

const BACK_OFF_MS = 1_000;
const LOOK_EVERY_MS = 20;

/**
 * Reads one partition's log from its start in the background. While Kafka is unreachable, the view
 * does not advance.
 */
export class Following {
  readonly #deps: FollowingDeps;
  #next: bigint | undefined;
  #whole = false;
  /** The current failure. If its remedy is `stop`, it is permanent. */
  #trouble: unknown;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
    void this.#follow();
  }

  /**
   * Until the initial read completes: throws `VIEW_NOT_READ`, or the Kafka error (retry). After a
   * permanent failure: always throws that failure.
   */
  requireInitialRead(): void {
    const trouble = this.#trouble;
    if (trouble !== undefined && (!this.#whole || remedyOf(trouble) === 'stop'))
      throw asError(trouble);
    if (!this.#whole)
      throw new KafkaLogError({
        code: 'VIEW_NOT_READ',
        remedy: 'retry',
        message: `Expected to have read ${this.#deps.topic} to its end, found it still being read. It is tried again.`,
      });
  }

  /**
   * Like `requireInitialRead`, but also throws the Kafka error while Kafka is unreachable, because
   * the view may be out of date then.
   */
  requireCurrent(): void {
    this.requireInitialRead();
    this.#requireNoTrouble();
  }

  /** The offset of the last record after those added; before them: there is none. */
  async #lastNow(): Promise<bigint> {
    let last = -1n;
    for await (const records of this.#deps.read(this.#next, 'end'))
      last = records.at(-1)?.offset ?? last;
    return last;
  }

  #requireNoTrouble(): void {
    if (this.#trouble !== undefined) throw asError(this.#trouble);
  }

  /**
   * Resolves once every record is added that the log held at the call. Throws the Kafka error while
   * Kafka is unreachable.
   */
  async caughtUp(): Promise<void> {
    const last = await this.#lastNow();
    while (!this.#whole || (this.#next ?? 0n) <= last) {
      this.#requireNoTrouble();
      this.#deps.signal.throwIfAborted();
      await pause(LOOK_EVERY_MS, this.#deps.signal);
    }
    this.requireCurrent();
  }

  async #follow(): Promise<void> {
    const { signal, diagnostics, topic } = this.#deps;
    while (!signal.aborted) {
      try {
        await this.#take('end');
        this.#whole = !signal.aborted;
        this.#trouble = undefined;
        await this.#take('aborted');
      } catch (error) {
        this.#trouble = error;
        if (remedyOf(error) === 'stop') {
          diagnostics.error(`Following ${topic} stopped.`, { error });
          return;
        }
        diagnostics.debug(`Following ${topic} lost Kafka and tries again.`, { error });
        await pause(BACK_OFF_MS, signal);
      }
    }
  }

  async #take(until: 'end' | 'aborted'): Promise<void> {
    for await (const records of this.#deps.read(this.#next, until)) {
      for (const record of records) {
        this.#deps.add(record);
        this.#next = record.offset + 1n;
      }
    }
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('Expected an error, found something else thrown.');
}
