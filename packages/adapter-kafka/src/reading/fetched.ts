import type { FetchResponse } from '../kafkajs/cluster.ts';
import type { FetchedMessage } from '../kafkajs/record-batch.ts';
import { withholdAborted } from '../kafkajs/withhold-aborted.ts';

/** Offsets by partition. */
export type Offsets = ReadonlyMap<number, bigint>;

/** The fetched records of one partition. */
export interface Fetched {
  readonly partition: number;
  /** The visible records from the requested offset on, in order. */
  readonly messages: readonly FetchedMessage[];
  /** Everything before this offset has been read, whether it holds a message or not. */
  readonly next: bigint;
  /** All records before this offset are decided: no transaction that began before it is open. */
  readonly lastStable: bigint;
}

/** Interprets a broker's response to a fetch from `from` on. */
export function fetched({ responses }: FetchResponse, from: Offsets): Fetched[] {
  const partitions = responses.flatMap((response) => response.partitions);
  // A response without a single batch holds all there was up to each last stable offset, because
  // the first partition that has anything always gets a batch (KIP-74). So what is missing there
  // was compacted away, batches and all.
  const nothing = partitions.every(({ messages }) => messages.length === 0);
  return partitions.map(({ partition, messages, abortedTransactions, lastStableOffset }) => {
    const start = from.get(partition) ?? 0n;
    const lastStable = BigInt(lastStableOffset);
    const last = messages.at(-1);
    const end = last === undefined ? (nothing ? lastStable : start) : BigInt(last.offset) + 1n;
    const visible = withholdAborted(messages, abortedTransactions).filter(
      ({ isControlRecord, offset }) => !isControlRecord && BigInt(offset) >= start,
    );
    return { partition, messages: visible, next: end > start ? end : start, lastStable };
  });
}
