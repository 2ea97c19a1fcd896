import { remedyOf } from '@residency/coded-error';
import type { LogRecord, Topic } from '@residency/contracts';
import type { KafkaDiagnostics } from './diagnostics.ts';
import { KafkaLogError } from './kafka-log-error.ts';
import { pause } from './reading/pause.ts';

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

/** Reads one partition's log from its start, in the background; where Kafka is away it stands still, then goes on. */
export class Following {
  readonly #deps: FollowingDeps;
  #next: bigint | undefined;
  #whole = false;
  /** Why it is not whole yet, or, where its remedy is `stop`, never goes on. */
  #trouble: unknown;

  constructor(deps: FollowingDeps) {
    this.#deps = deps;
    void this.#follow();
  }

  /** Throws `VIEW_NOT_READ` or what keeps Kafka from being read (retry) until everything was read that stood there at the opening, and ever after what stopped it. */
  demandWhole(): void {
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

  /** Throws that too where Kafka is away just now: what is known then is what was true before. */
  demandFollowed(): void {
    this.demandWhole();
    if (this.#trouble !== undefined) throw asError(this.#trouble);
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
