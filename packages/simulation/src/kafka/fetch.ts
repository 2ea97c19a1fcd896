import type { Headers } from '@residency/cloudevents';
import type { Answer } from '../answer.ts';
import { request } from '../network.ts';
import { here } from '../process.ts';
import type { SimCluster } from './cluster.ts';
import type { PartitionLog, Stored } from './partition-log.ts';
import { noAnswer, protocolError } from './protocol-error.ts';

export interface FetchWanted {
  /** 0: also what no transaction has decided. */
  readonly isolationLevel?: 0 | 1;
  readonly maxWaitTime: number;
  readonly maxBytes: number;
  readonly topics: readonly [
    {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[];
    },
  ];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly {
    readonly producerId: string;
    readonly firstOffset: string;
  }[];
  readonly messages: readonly SimMessage[];
}

export interface SimMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  readonly magicByte: number;
  readonly attributes: number;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface FetchResponse {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly FetchedPartition[];
  }[];
}

const MOST_RECORDS = 20;

/** A fetch of committed records: answered once there is something, or after `maxWaitTime`. */
export async function fetchFrom(wanted: FetchWanted): Promise<FetchResponse> {
  const { kafka } = here().world;
  return await request<FetchResponse>({
    service: 'kafka',
    what: `fetch ${wanted.topics[0].topic}`,
    silence: noAnswer,
    serve: (answer) => {
      serve(kafka, wanted, answer);
    },
  });
}

function serve(
  cluster: SimCluster,
  { isolationLevel, maxWaitTime, maxBytes, topics: [{ topic, partitions }] }: FetchWanted,
  answer: Answer<FetchResponse>,
): void {
  const logs = partitions.map(({ partition, fetchOffset }) => ({
    log: cluster.log(topic, partition),
    from: Number(fetchOffset),
  }));
  const reach = (log: PartitionLog): number => (isolationLevel === 0 ? log.end : log.lastStable);
  const until = cluster.scheduler.now + maxWaitTime;
  const look = (): void => {
    for (const { log } of logs) log.forget(look);
    if (logs.some(({ log, from }) => from < log.start || from > log.end)) {
      answer.fail(protocolError('OFFSET_OUT_OF_RANGE'));
      return;
    }
    const waits =
      cluster.scheduler.now < until && logs.every(({ log, from }) => reach(log) <= from);
    if (!waits) {
      answer.ok({
        responses: [
          {
            topicName: topic,
            partitions: logs.map(({ log, from }) =>
              read(log, from, Math.min(reach(log), from + (maxBytes <= 1 ? 1 : MOST_RECORDS))),
            ),
          },
        ],
      });
      return;
    }
    for (const { log } of logs) log.onChange(look);
  };
  look();
  if (maxWaitTime > 0 && logs.every(({ log, from }) => from >= log.start && reach(log) <= from))
    cluster.scheduler.after(maxWaitTime, undefined, 'kafka fetch waited', look);
}

function read(log: PartitionLog, from: number, to: number): FetchedPartition {
  return {
    partition: log.partition,
    highWatermark: String(log.end),
    lastStableOffset: String(log.lastStable),
    abortedTransactions: log.abortedWithin(from, to).map(({ producerId, first }) => ({
      producerId: String(producerId),
      firstOffset: String(first),
    })),
    messages: log.slice(from, to).map(message),
  };
}

function message({
  offset,
  at,
  key,
  value,
  headers,
  marker,
  producerId,
  inTransaction,
}: Stored): SimMessage {
  return {
    offset: String(offset),
    timestamp: String(at),
    key,
    value,
    headers,
    magicByte: 2,
    attributes: 0,
    isControlRecord: marker !== undefined,
    batchContext: { producerId: String(producerId), inTransaction },
  };
}
