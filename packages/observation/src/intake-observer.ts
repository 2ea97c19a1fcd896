import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Instant } from '@residency/residency';
import { BrokerClocks } from './broker-clocks.ts';
import type { AppendTimeLead } from './broker-clocks.ts';
import { OldestUnsettled } from './oldest-unsettled.ts';
import type { IntakeLog, TopicIdentity } from './ports/intake-log.ts';
import type { IntakeFacts, OpenTransaction, PartitionFacts } from './snapshot.ts';

/** All but the link from consent to subject, which no service reads. */
const READ: readonly Topic[] = Object.values(TOPICS).filter((topic) => topic !== TOPICS.subjects);

/**
 * Reads the facts of a cluster's logs. Keep one for all snapshots of a log: it remembers the oldest
 * record of each partition, and the ends that it compares clocks by.
 */
export class IntakeObserver {
  readonly #log: IntakeLog;
  readonly #now: () => Instant;
  readonly #oldest: OldestUnsettled;
  readonly #clocks: BrokerClocks;

  /** `now`: the wall clock. */
  constructor(log: IntakeLog, now: () => Instant) {
    this.#log = log;
    this.#now = now;
    this.#oldest = new OldestUnsettled((partition, offset) =>
      log.ahead(TOPICS.samples, partition, offset),
    );
    this.#clocks = new BrokerClocks(log, READ, now);
  }

  async topics(): Promise<readonly TopicIdentity[]> {
    return await this.#log.identity();
  }

  /** The first time only what is ahead is seen. */
  async appendTimes(): Promise<readonly AppendTimeLead[]> {
    return await this.#clocks.compare();
  }

  async intake(): Promise<IntakeFacts> {
    const progress = await this.#log.progress();
    const at = this.#now();
    // After the progress: a transaction that hides what is not settled is then among them.
    const transactions = await this.#transactions();
    const partitions: PartitionFacts[] = [];
    // One after the other: each may bring a batch of samples.
    for (const one of progress) {
      const { at: oldestAt, settledUpTo } = await this.#oldest.of(
        one,
        transactions.find(
          ({ topic, partition }) => topic === TOPICS.samples && partition === one.partition,
        ),
      );
      partitions.push({ ...one, settledUpTo, ...defined({ oldestAt }) });
    }
    return { at, partitions, transactions };
  }

  async #transactions(): Promise<readonly OpenTransaction[]> {
    const found: OpenTransaction[] = [];
    for (const topic of READ)
      for (const one of await this.#log.undecided(topic)) found.push({ ...one, topic });
    return found;
  }
}
