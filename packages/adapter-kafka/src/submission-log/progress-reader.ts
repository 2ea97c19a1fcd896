import { TOPICS } from '@residency/contracts';
import type { CustodyTopic } from '@residency/contracts';
import { defined } from '@residency/defined';
import { shareNext } from '@residency/waiting';
import type { Offsets } from '../reading/fetched.ts';
import { partitionMissing } from './intake-reads.ts';
import type { Bounds, IntakeReads } from './intake-reads.ts';
import {
  ROUTED_TOPICS,
  compareTopics,
  idsToRecord,
  requireSameTopics,
} from '../identity/log-identity.ts';
import type { TopicIdentity } from '../identity/log-identity.ts';
import type { AcceptedReplacement } from '../identity/accepted.ts';
import type { TopicIds } from '../identity/topic-ids.ts';
import { isAhead, progressOf } from './progress.ts';
import type { AuditTail, Progress } from './progress.ts';

/** The committed positions and the log's bounds of all partitions, read together. */
interface IntakeReading {
  readonly committed: Offsets;
  readonly bounds: ReadonlyMap<number, Bounds>;
}

/**
 * Reads the progress of partitions from the cluster. Concurrent callers share one reading that
 * begins after all of them called.
 */
export class ProgressReader {
  readonly #reads: IntakeReads;
  readonly #custody: readonly CustodyTopic[];
  readonly #readIntake: () => Promise<IntakeReading>;
  readonly #readBounds: () => Promise<ReadonlyMap<number, Bounds>>;

  /** `custody`: the custody logs whose ids are recorded too. */
  constructor(reads: IntakeReads, custody: readonly CustodyTopic[] = []) {
    this.#reads = reads;
    this.#custody = custody;
    this.#readIntake = shareNext(async () => ({
      committed: await reads.committed(),
      bounds: await reads.bounds(TOPICS.samples),
    }));
    this.#readBounds = shareNext(async () => await reads.bounds(TOPICS.samples));
  }

  /**
   * Call after this partition was fenced and its dangling transactions were aborted. Throws
   * `PROGRESS_LOST`, `PROGRESS_DIFFERS` and `LOG_REPLACED`.
   */
  async read(partition: number): Promise<Progress> {
    // The ids are read before the records. If a topic is recreated after this read, its id differs
    // when a batch is settled.
    const now = await this.#reads.topicIds(this.#custody);
    const { committed, bounds } = await this.#readIntake();
    const found = bounds.get(partition);
    if (found === undefined) throw partitionMissing(TOPICS.samples, partition);
    const audit = await this.#reads.auditTail(partition);
    const aborted = isAhead(committed.get(partition), audit)
      ? await this.#reads.abortedEvents(partition, audit.behind)
      : [];
    // A process may freeze between two reads while another router goes on. So the log's start is
    // read before the audit log, and its end after it.
    const { end = found.end } = (await this.#readBounds()).get(partition) ?? {};
    const progress = progressOf({
      partition,
      committed: committed.get(partition),
      audit,
      aborted,
      start: found.start,
      end,
    });
    const ids = await this.#requireSameTopics(partition, audit, now);
    return { ...progress, ...defined({ ids }) };
  }

  async #requireSameTopics(
    partition: number,
    audit: AuditTail,
    ids: TopicIds | undefined,
  ): Promise<TopicIds | undefined> {
    const settled = await this.#reads.settledTopics(partition, audit);
    const compare = (accepted: readonly AcceptedReplacement[]): readonly TopicIdentity[] =>
      compareTopics({
        ids,
        settled: settled === undefined ? [] : [settled],
        first: new Map(),
        accepted,
      });
    const isSame = compare([]).every(({ state }) => state !== 'replaced');
    const accepted = isSame ? [] : await this.#reads.acceptedReplacements();
    requireSameTopics(compare(accepted), ROUTED_TOPICS);
    return ids === undefined ? undefined : idsToRecord(ids, audit.ids, accepted);
  }
}
