import { KafkaLogError } from '../kafka-log-error.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import type { Offsets } from './fetched.ts';
import type { ReadingPlan } from './read-partitions.ts';

export interface ReadOptions {
  /**
   * Offsets by partition, or a time (milliseconds): the first records appended at or after it. A
   * partition that is absent is read from its start, and so are all if `from` is absent.
   */
  readonly from?: Offsets | { readonly at: number };
  /** The partitions to read; absent: all. */
  readonly partitions?: readonly number[];
  /**
   * `end`: return once every record that was in the topic at the call was read; transactions open
   * at the call are awaited. `aborted`: go on until `signal` is aborted.
   */
  readonly until: 'end' | 'aborted';
  readonly signal?: AbortSignal;
}

/**
 * Throws `OFFSET_OUT_OF_RANGE` if requested records were deleted or never existed: to skip them
 * silently would lose them.
 */
export async function planReading(
  connection: ClusterConnection,
  topic: string,
  { from, until, partitions }: Omit<ReadOptions, 'signal'>,
): Promise<ReadingPlan> {
  const [starts, ends] = [await connection.starts(topic), await connection.ends(topic)];
  const begin = await beginnings(connection, topic, { from, starts, ends });
  return {
    from:
      partitions === undefined
        ? begin
        : new Map([...begin].filter(([partition]) => partitions.includes(partition))),
    until: until === 'end' ? ends : undefined,
  };
}

async function beginnings(
  connection: ClusterConnection,
  topic: string,
  { from, starts, ends }: { from: ReadOptions['from']; starts: Offsets; ends: Offsets },
): Promise<Offsets> {
  if (from === undefined) return starts;
  if ('at' in from) return await connection.since(topic, from.at);
  for (const [partition, offset] of from) {
    const [start, end] = [starts.get(partition), ends.get(partition)];
    if (start === undefined || end === undefined || offset < start || offset > end) {
      throw new KafkaLogError({
        code: 'OFFSET_OUT_OF_RANGE',
        remedy: 'stop',
        message: `Expected offset ${offset} of ${topic} partition ${partition} to be in the log, found ${start === undefined ? 'no such partition' : `offsets ${start} to ${end}`}. Its retention is over, or it is another log.`,
      });
    }
  }
  return new Map(
    [...starts].map(([partition, start]) => [partition, from.get(partition) ?? start]),
  );
}
