import { remedyOf } from '@residency/coded-error';
import { TOPICS, readPolicyRecord } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import type { PolicyReading, PolicyView } from '@residency/routing';
import { AppendClock } from './append-clock.ts';
import type { KafkaDiagnostics } from './diagnostics.ts';
import { KafkaLogError } from './kafka-log-error.ts';
import { pause } from './reading/pause.ts';

export interface PolicyViewDeps {
  /** The policy log from an offset, or from its start. */
  readonly read: (from: bigint | undefined, until: 'end' | 'aborted') => AsyncGenerator<readonly LogRecord[]>;
  readonly diagnostics: KafkaDiagnostics;
  /** Ends the reading in the background. */
  readonly signal: AbortSignal;
  /** What append times may go back by, milliseconds. Default 1 s. */
  readonly marginMs?: number;
}

const BACK_OFF_MS = 1_000;

/** Policy versions, followed in the background. A reading is as fresh as its watermark says; where Kafka is away it stands still. */
export class KafkaPolicyView implements PolicyView {
  readonly #deps: PolicyViewDeps;
  readonly #clock: AppendClock;
  #versions: readonly PolicyPublished[] = [];
  #next: bigint | undefined;
  #skipped = 0;
  #whole = false;
  /** Why there is no reading yet, or, where its remedy is `stop`, never will be again. */
  #trouble: unknown;

  constructor(deps: PolicyViewDeps) {
    this.#deps = deps;
    this.#clock = new AppendClock(TOPICS.policy, deps.marginMs);
    void this.#follow();
  }

  /** Throws `POLICY_VIEW_BEHIND` or `KAFKA_UNREACHABLE` (retry) until it has read all there was at its opening, and ever after what stopped it. */
  read(): Promise<PolicyReading> {
    if (this.#trouble !== undefined && (!this.#whole || remedyOf(this.#trouble) === 'stop')) return Promise.reject(asError(this.#trouble));
    if (!this.#whole) return Promise.reject(new KafkaLogError({ code: 'POLICY_VIEW_BEHIND', remedy: 'retry', message: `Expected to have read ${TOPICS.policy} to its end, found it still being read. It is tried again.` }));
    return Promise.resolve({ watermark: this.#clock.latest, versions: this.#versions });
  }

  /** How many records of the policy log were no policy version, ticks among them. */
  skipped(): number {
    return this.#skipped;
  }

  async #follow(): Promise<void> {
    const { signal, diagnostics } = this.#deps;
    while (!signal.aborted) {
      try {
        await this.#take('end');
        this.#whole = !signal.aborted;
        this.#trouble = undefined;
        await this.#take('aborted');
      } catch (error) {
        this.#trouble = error;
        if (remedyOf(error) === 'stop') {
          diagnostics.error('The policy view stopped.', { error });
          return;
        }
        diagnostics.debug('The policy view lost Kafka and tries again.', { error });
        await pause(BACK_OFF_MS, signal);
      }
    }
  }

  async #take(until: 'end' | 'aborted'): Promise<void> {
    for await (const records of this.#deps.read(this.#next, until)) {
      for (const record of records) this.#add(record);
    }
  }

  #add(record: LogRecord): void {
    this.#clock.see(record.at);
    const version = readPolicyRecord(record);
    if (version === undefined) this.#skipped += 1;
    else this.#versions = [...this.#versions, version];
    this.#next = record.offset + 1n;
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('Expected an error, found something else thrown.');
}
