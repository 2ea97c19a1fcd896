import { TOPICS, isPolicyTick, readPolicyRecord } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import type { PolicyReading, PolicyView } from '@residency/routing';
import { AppendClock } from './append-clock.ts';
import { Following } from './following.ts';
import type { FollowingDeps } from './following.ts';

export interface PolicyViewDeps extends Omit<FollowingDeps, 'topic' | 'add'> {
  /** The largest accepted step back of append times, milliseconds. Default 1 s. */
  readonly marginMs?: number;
}

/**
 * Policy versions, followed in the background. The watermark says how fresh a reading is. While
 * Kafka is unreachable, the watermark does not advance.
 */
export class KafkaPolicyView implements PolicyView {
  readonly #clock: AppendClock;
  readonly #following: Following;
  #versions: readonly PolicyPublished[] = [];
  #skipped = 0;

  constructor({ marginMs, ...deps }: PolicyViewDeps) {
    this.#clock = new AppendClock(TOPICS.policy, marginMs);
    this.#following = new Following({
      ...deps,
      topic: TOPICS.policy,
      add: (record) => {
        this.#add(record);
      },
    });
  }

  /** Throws as `Following` does. */
  async read(): Promise<PolicyReading> {
    await Promise.resolve();
    this.#following.requireInitialRead();
    return { watermark: this.#clock.latest, versions: this.#versions };
  }

  /**
   * Like `read`, but throws while Kafka is unreachable. `read` returns the last known versions
   * then.
   */
  async readFollowed(): Promise<PolicyReading> {
    const reading = await this.read();
    this.#following.requireCurrent();
    return reading;
  }

  /** The number of records of the policy log that were neither a policy version nor a tick. */
  skipped(): number {
    return this.#skipped;
  }

  #add(record: LogRecord): void {
    this.#clock.see(record.at);
    const version = readPolicyRecord(record);
    if (version === undefined) this.#skipped += isPolicyTick(record) ? 0 : 1;
    else this.#versions = [...this.#versions, version];
  }
}
