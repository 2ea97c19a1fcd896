import { offsetOfLeaf } from '@residency/contracts';
import { aheadOfLog } from './ahead-of-log.ts';
import type { LeafSource, LogLeaf } from './leaves-of.ts';
import type { PublishedLedger } from './recover-ledger.ts';

/** What became of a ledger's last leaves in a compacted log. */
export interface SeenInLog {
  /** The log still has the leaf's record. */
  there(leaf: LogLeaf): void;
  /** The log no longer has the record of leaf `index`. */
  gone(offset: bigint, index: number): void;
}

const NOBODY: SeenInLog = { there: () => undefined, gone: () => undefined };

/**
 * As `newLeaves`, for a compacted log: the leaves of the records behind the last leaf's offset.
 * Records before it may be gone, if a later one had their key. Throws `LEDGER_AHEAD_OF_LOG` (stop)
 * for what compaction cannot do: another record at or between the offsets of the leaves, no record
 * of all these leaves, or a log that ends before the last of them.
 */
export async function* leavesBehind(
  source: LeafSource,
  { tail, head }: Pick<PublishedLedger, 'tail' | 'head'>,
  signal: AbortSignal,
  seen: SeenInLog = NOBODY,
): AsyncGenerator<readonly LogLeaf[]> {
  const leaf = head.size - tail.length;
  const known = new KnownLeaves(source, tail, head.size);
  let checked = false;
  const { first } = known;
  const start = { leaf, since: 0, ...(first === undefined ? {} : { offset: first }) };
  for await (const leaves of source.follow(start, signal)) {
    const added = leaves.filter((one) => known.isBehind(one));
    if (!checked) {
      for (const one of leaves) if (known.has(one)) seen.there(one);
      if (added.length > 0 || leaves.length === 0) {
        checked = true;
        for (const { offset, index } of known.gone({ grown: added.length > 0 }))
          seen.gone(offset, index);
      }
    }
    if (checked) yield added;
  }
}

/** The last leaves of a ledger, by the offsets that they name. */
class KnownLeaves {
  readonly first: bigint | undefined;
  readonly #of: LeafSource['of'];
  readonly #missing: Map<bigint, { readonly bytes: Uint8Array; readonly index: number }>;
  readonly #last: bigint;
  readonly #expected: string;
  #found = 0;

  constructor({ of }: LeafSource, tail: readonly Uint8Array[], size: number) {
    this.#of = of;
    // A later generation's first leaf is no record.
    this.#missing = new Map(
      tail.flatMap((bytes, at) => {
        const offset = offsetOfLeaf(bytes);
        return offset === undefined ? [] : [[offset, { bytes, index: size - tail.length + at }]];
      }),
    );
    this.first = this.#missing.keys().next().value;
    this.#last = [...this.#missing.keys()].at(-1) ?? -1n;
    this.#expected = `the records of the last ${this.#missing.size} of ${size} leaves of its ledger`;
  }

  isBehind({ offset }: LogLeaf): boolean {
    return offset > this.#last;
  }

  /** True if the leaf is one of them. Throws if another is in its place. */
  has({ offset, bytes }: LogLeaf): boolean {
    if (this.first === undefined || offset < this.first || offset > this.#last) return false;
    const known = this.#missing.get(offset);
    if (known === undefined || Buffer.compare(known.bytes, bytes) !== 0)
      throw aheadOfLog(this.#of, this.#expected);
    this.#missing.delete(offset);
    this.#found += 1;
    return true;
  }

  /** Those that were not found. Throws unless compaction can have removed them. */
  gone({
    grown,
  }: {
    readonly grown: boolean;
  }): readonly { readonly offset: bigint; readonly index: number }[] {
    if (this.#missing.size === 0) return [];
    if (this.#found === 0 || (this.#missing.has(this.#last) && !grown))
      throw aheadOfLog(this.#of, this.#expected);
    return [...this.#missing].map(([offset, { index }]) => ({ offset, index }));
  }
}
