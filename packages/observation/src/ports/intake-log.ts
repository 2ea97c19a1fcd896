import type { Topic } from '@residency/contracts';
import type { Instant } from '@residency/residency';

/** How far a partition of the intake log is settled. */
export interface IntakeProgress {
  readonly partition: number;
  /** The first offset, and the offset of the next record. */
  readonly start: bigint;
  readonly end: bigint;
  /**
   * The group's committed position; absent: none, or no more (Kafka forgets those of a group that
   * is idle for `offsets.retention.minutes`).
   */
  readonly committed?: bigint;
  /**
   * The first offset that is not settled: the one after the last audit event or the committed
   * position, whichever is further; `start` if there is neither. Below `start`, or beyond `end`:
   * the log lost records that were never settled, or its end (`PROGRESS_LOST`).
   */
  readonly next: bigint;
}

/** Records were deleted unsettled, or the log lost its end. */
export function isLost({ start, end, next }: IntakeProgress): boolean {
  return next < start || next > end;
}

/** The first visible record at or after an offset. */
export interface LogAhead {
  /** Of the first record that readers may see. */
  readonly first?: { readonly offset: bigint; readonly at: Instant };
  /** Without a first one: up to here there is none, and there will be none. */
  readonly upTo: bigint;
}

/**
 * The oldest open transaction of a partition: readers wait for it, so they see nothing that was
 * appended behind its first record.
 */
export interface Undecided {
  readonly partition: number;
  /** Of its first record: the last stable offset. */
  readonly offset: bigint;
  /**
   * Append time of that record, milliseconds; absent: the transaction ended meanwhile, or the
   * record can not be read.
   */
  readonly since?: Instant;
}

/** Whether a topic is the one that was settled (docs/decisions/0018). */
export interface TopicIdentity {
  readonly topic: Topic;
  /**
   * `unsettled`: nothing was settled yet. `unknown`: what was settled does not say, or can not be
   * read.
   */
  readonly state: 'same' | 'replaced' | 'unsettled' | 'unknown';
  /** What was expected and what was found, of a topic that was replaced. */
  readonly found?: string;
}

/**
 * What an observer asks a log. Each method rejects with a coded error if the log does not answer;
 * the observer does not retry.
 */
export interface IntakeLog {
  progress(): Promise<readonly IntakeProgress[]>;
  undecided(topic: Topic): Promise<readonly Undecided[]>;
  identity(): Promise<readonly TopicIdentity[]>;
  /** The offset after the last record of each partition. */
  ends(topic: Topic): Promise<ReadonlyMap<number, bigint>>;
  /** The first offset of each partition that was appended at `at` or later; its end if none was. */
  since(topic: Topic, at: Instant): Promise<ReadonlyMap<number, bigint>>;
  ahead(topic: Topic, partition: number, offset: bigint): Promise<LogAhead>;
}
