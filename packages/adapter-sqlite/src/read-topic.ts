import type { LogRecord, Topic } from '@residency/contracts';
import type { ReadLimits } from './reading.ts';

export interface ReadFrom extends Partial<ReadLimits> {
  /** The first offset to read; absent: from the beginning. */
  readonly from?: bigint;
  /** `end`: read up to the topic's end at the call; absent: up to its end at the last page. */
  readonly until?: 'end';
}

/** `SqliteLog.read`. */
export type ReadTopic = (topic: Topic, from: ReadFrom) => AsyncIterable<LogRecord>;
