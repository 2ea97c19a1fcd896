import type { LedgerSource } from '../ports/ledger-source.ts';

/** The offset of the leaf before the log's first record. No log has this offset. */
const BEFORE_ALL = -1n;

/** The source of a later generation's ledger: its first leaf, then the records. */
export function withFirstLeaf(source: LedgerSource, leaf: Uint8Array | undefined): LedgerSource {
  if (leaf === undefined) return source;
  const first = { partition: source.of.partition, offset: BEFORE_ALL, value: Buffer.from(leaf) };
  return {
    log: source.log,
    of: source.of,
    async *follow(start, signal) {
      if (start.leaf === 0) yield [first];
      yield* source.follow({ ...start, leaf: Math.max(0, start.leaf - 1) }, signal);
    },
  };
}
