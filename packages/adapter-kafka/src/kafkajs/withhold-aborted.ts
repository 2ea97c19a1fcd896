import type { FetchedMessage } from './record-batch.ts';

export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

// A marker's key: version, then type; 0 = abort.
// https://kafka.apache.org/documentation/#controlbatch
const ABORT = 0;

/**
 * The messages of a fetch without those of aborted transactions. Markers remain; readers skip them.
 */
export function withholdAborted<
  M extends Pick<FetchedMessage, 'offset' | 'key' | 'isControlRecord' | 'batchContext'>,
>(
  messages: readonly M[],
  abortedTransactions: readonly AbortedTransaction[] | null | undefined,
): M[] {
  if (!abortedTransactions?.length) return [...messages];
  // The broker lists them in the order of their ends, which differs from the order of their starts.
  const toCome = abortedTransactions
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .toSorted((a, b) => a.firstOffset - b.firstOffset);
  const aborting = new Set<string>();
  let next = 0;
  return messages.filter(
    ({ offset, key, isControlRecord, batchContext: { producerId, inTransaction } }) => {
      for (
        ;
        next < toCome.length && (toCome[next]?.firstOffset ?? Infinity) <= Number(offset);
        next += 1
      )
        aborting.add(toCome[next]?.producerId ?? '');
      if (!isControlRecord) return !(inTransaction && aborting.has(producerId));
      if (key !== null && key.length >= 4 && key.readInt16BE(2) === ABORT)
        aborting.delete(producerId);
      return true;
    },
  );
}
