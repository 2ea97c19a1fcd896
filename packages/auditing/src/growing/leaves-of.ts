import { kindOf } from '../logs/kind-of.ts';
import type { LedgerRecord, LedgerSource, SourceStart } from '../ports/ledger-source.ts';

/** A leaf of a log's ledger, as the log gives it. */
export interface LogLeaf {
  readonly offset: bigint;
  readonly bytes: Uint8Array;
  /** Absent: the first leaf of a later generation, which is no record. */
  readonly record?: LedgerRecord;
}

/** As `LedgerSource`, of leaves. */
export interface LeafSource {
  readonly of: LedgerSource['of'];
  follow(start: SourceStart, signal: AbortSignal): AsyncIterable<readonly LogLeaf[]>;
}

/** The offset of the leaf before the log's first record. No log has this offset. */
const BEFORE_ALL = -1n;

/** The leaves of a log. `first`: the first leaf of a later generation's ledger. */
export function leavesOf(source: LedgerSource, first: Uint8Array | undefined): LeafSource {
  const { leafOf } = kindOf(source.of.topic);
  const leaves = (records: readonly LedgerRecord[]): readonly LogLeaf[] =>
    records.flatMap((record) => {
      const bytes = leafOf(record);
      return bytes === undefined ? [] : [{ offset: record.offset, bytes, record }];
    });
  return {
    of: source.of,
    async *follow(start, signal) {
      if (first !== undefined && start.leaf === 0) yield [{ offset: BEFORE_ALL, bytes: first }];
      const leaf = first === undefined ? start.leaf : Math.max(0, start.leaf - 1);
      let ended = false;
      for await (const records of source.follow({ ...start, leaf }, signal)) {
        ended ||= records.length === 0;
        const found = leaves(records);
        // An empty batch says that the log's end was reached. A batch of ticks does not say it.
        if (found.length > 0 || ended) yield found;
      }
    },
  };
}
