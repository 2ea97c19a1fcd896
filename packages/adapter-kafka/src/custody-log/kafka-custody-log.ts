import type { CustodyRestorer } from '@residency/auditing';
import { custodyEntryOf, custodyTopic, restoredCustodyEntry } from '@residency/contracts';
import type {
  CustodyTopic,
  LogRecord,
  NewRecord,
  Topic,
  TopicPartition,
} from '@residency/contracts';
import type { CustodyLog, CustodyRecord } from '@residency/custodianship';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { isUndecided, untilDecided } from '../submission-log/decided.ts';
import type { IntakeReads } from '../submission-log/intake-reads.ts';
import { sendsOf } from '../submission-log/pack-settlement.ts';
import { Withheld } from '../submission-log/transactional-producer.ts';
import type {
  ProducerPlan,
  TransactionalProducer,
} from '../submission-log/transactional-producer.ts';
import { custodianGroup, topicName } from '../topic-name.ts';
import { custodyRecords } from './custody-records.ts';

type Producer = Pick<TransactionalProducer, 'commit' | 'abortWhatIsOpen' | 'close'>;

export interface KafkaCustodyLogDeps {
  /** Returns a connected producer that has fenced its predecessors. */
  readonly openProducer: (plan: ProducerPlan) => Promise<Producer>;
  readonly settings: Pick<KafkaSettings, 'log' | 'topicPrefix'>;
  readonly reads: Pick<IntakeReads, 'extent'>;
  /** The topic's committed records from an offset on, or all, up to its end at the call. */
  readonly read: (topic: Topic, from?: bigint) => AsyncIterable<readonly LogRecord[]>;
  /** How long to wait for the end of a transaction, milliseconds. Default 10 s. */
  readonly decidedWithinMs?: number;
}

export interface CustodyOwner {
  readonly region: string;
  readonly transactionTimeoutMs: number;
  /** Called before each commit. Rejects to prevent it. */
  readonly beforeCommit: () => Promise<void>;
}

/** A custody log has one partition. */
const PARTITION = 0;

/**
 * A region's custody topic. All its owners have one transactional id, so that opening fences the
 * earlier ones; each append is one transaction.
 */
export class KafkaCustodyLog implements CustodyLog, CustodyRestorer {
  readonly log: string;
  readonly region: string;
  readonly of: TopicPartition;
  readonly #deps: KafkaCustodyLogDeps;
  readonly #owner: CustodyOwner;
  readonly #topic: CustodyTopic;
  readonly #producer: Producer;
  /** A confirmation was aborted since the last commit; a broker may have forgotten its marker. */
  #confirmed = false;

  private constructor(deps: KafkaCustodyLogDeps, owner: CustodyOwner, producer: Producer) {
    this.log = deps.settings.log;
    this.region = owner.region;
    this.#deps = deps;
    this.#owner = owner;
    this.#topic = custodyTopic(owner.region);
    this.of = { topic: this.#topic, partition: PARTITION };
    this.#producer = producer;
  }

  /**
   * Fences the earlier owners. Rejects with `TOPIC_MISSING` (stop), `CUSTODY_UNDECIDED` (retry) or
   * the Kafka error.
   */
  static async open(deps: KafkaCustodyLogDeps, owner: CustodyOwner): Promise<KafkaCustodyLog> {
    const producer = await deps.openProducer(custodyPlan(deps, owner));
    const custody = new KafkaCustodyLog(deps, owner, producer);
    try {
      await custody.#endDangling();
      return custody;
    } catch (error) {
      await custody.close();
      throw error;
    }
  }

  records(): AsyncIterable<readonly LogRecord[]> {
    return this.#deps.read(this.#topic);
  }

  read(from?: bigint): AsyncIterable<CustodyRecord> {
    return custodyRecords(this.#deps.read(this.#topic, from));
  }

  /**
   * Besides `FENCED`: `OWNERSHIP_UNSURE` if the region may have another custodian by now (nothing was
   * appended), `CUSTODY_UNDECIDED` if the brokers acknowledged the commit and do not show it.
   */
  async append(values: readonly Buffer[]): Promise<bigint> {
    return await this.#commit(values.map((value) => custodyEntryOf(value, this.region).record));
  }

  /** As `append`. */
  async restore(values: readonly Buffer[]): Promise<void> {
    await this.#commit(values.map((value) => restoredCustodyEntry(value, this.region).record));
  }

  /** By a transaction that is aborted: the brokers take its record from the latest owner alone. */
  async confirm(): Promise<void> {
    await this.#owner.beforeCommit();
    this.#confirmed = true;
    await this.#producer.abortWhatIsOpen([this.#topic]);
  }

  async close(): Promise<void> {
    await this.#producer.close();
  }

  /**
   * Appends the records in one transaction and waits until they are visible. Returns the offset of the
   * last one; -1: there is none, or the broker did not say. Rejects as `append`.
   */
  async #commit(records: readonly NewRecord[]): Promise<bigint> {
    if (records.length === 0) return -1n;
    // A commit marker would end a confirmation's transaction too, and show its empty record.
    if (this.#confirmed) await this.#requireDecided();
    this.#confirmed = false;
    let last: bigint;
    try {
      last = await this.#producer.commit({
        sends: sendsOf(this.#topic, records),
        beforeCommit: this.#owner.beforeCommit,
      });
    } catch (error) {
      throw error instanceof Withheld ? error.reason : error;
    }
    // Only a visible append is certain: the next owner aborts one whose marker a broker forgot.
    await this.#requireDecided();
    return last;
  }

  /**
   * A broker that was killed while it ended a transaction may have forgotten its marker (decision
   * 0011). The next commit of this transactional id would commit what was left. So it is aborted
   * first: its owner never learnt that it was visible.
   */
  async #endDangling(): Promise<void> {
    if (!(await isUndecided(this.#deps.reads, this.#topic, PARTITION))) return;
    await this.#producer.abortWhatIsOpen([this.#topic]);
    await this.#requireDecided();
  }

  async #requireDecided(): Promise<void> {
    const { reads, decidedWithinMs } = this.#deps;
    if (await untilDecided(reads, this.#topic, PARTITION, decidedWithinMs)) return;
    throw new KafkaLogError({
      code: 'CUSTODY_UNDECIDED',
      remedy: 'retry',
      message: `Expected no open transaction in ${topicName(this.#deps.settings.topicPrefix, this.#topic)}, found one that does not end. If it is the custodian's own, its next start aborts it. Otherwise find it with kafka-transactions.sh find-hanging, and abort it.`,
    });
  }
}

function custodyPlan(
  { settings: { topicPrefix } }: Pick<KafkaCustodyLogDeps, 'settings'>,
  { region, transactionTimeoutMs }: CustodyOwner,
): ProducerPlan {
  return {
    transactionalId: custodianGroup(topicPrefix, region),
    transactionTimeoutMs,
    target: (topic) => ({ topic: topicName(topicPrefix, topic), partition: PARTITION }),
  };
}
