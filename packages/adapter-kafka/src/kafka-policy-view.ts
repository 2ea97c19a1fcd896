import { TOPICS, readPolicyRecord } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import type { PolicyReading, PolicyView } from '@residency/routing';
import { AppendClock } from './append-clock.ts';
import { Following } from './following.ts';
import type { FollowingDeps } from './following.ts';

export interface PolicyViewDeps extends Omit<FollowingDeps, 'topic' | 'add'> {
  /** What append times may go back by, milliseconds. Default 1 s. */
  readonly marginMs?: number;
}

/** Policy versions, followed in the background. A reading is as fresh as its watermark says; where Kafka is away it stands still. */
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
    this.#following.demandWhole();
    return { watermark: this.#clock.latest, versions: this.#versions };
  }

  /** The same, and throws also while Kafka is away, where `read` answers what it knew before. */
  async readFollowed(): Promise<PolicyReading> {
    const reading = await this.read();
    this.#following.demandFollowed();
    return reading;
  }

  /** How many records of the policy log were no policy version, ticks among them. */
  skipped(): number {
    return this.#skipped;
  }

  #add(record: LogRecord): void {
    this.#clock.see(record.at);
    const version = readPolicyRecord(record);
    if (version === undefined) this.#skipped += 1;
    else this.#versions = [...this.#versions, version];
  }
}
