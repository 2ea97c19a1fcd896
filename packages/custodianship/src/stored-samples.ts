import type { AuditFold } from './audit-fold.ts';
import { debtIn } from './debt.ts';
import type { Debt } from './debt.ts';
import type { KeySet } from './key-set.ts';
import { OffsetSet } from './offset-set.ts';
import { runsOf } from './runs-of.ts';
import type { AuditFeed, AuditFeedRecord } from './ports/audit-feed.ts';

const BATCH = { copies: 16, bytes: 32 * 1024 * 1024 };

/** Which stored samples of a partition are wanted. */
export interface Wanted {
  /** Reading ends once so many records were found. */
  readonly most: number;
  readonly signal: AbortSignal;
  /** Before the record is decoded. */
  readonly record: (record: AuditFeedRecord) => boolean;
  readonly debt: (debt: Debt) => boolean;
}

/** The stored samples of a region, as far as the fold has followed the audit log. */
export class StoredSamples {
  readonly #region: string;
  readonly #audit: AuditFeed;
  readonly #fold: AuditFold;

  constructor(region: string, audit: AuditFeed, fold: AuditFold) {
    this.#region = region;
    this.#audit = audit;
    this.#fold = fold;
  }

  async partitions(): Promise<readonly number[]> {
    return await this.#audit.partitions();
  }

  read(partition: number, from: bigint): AsyncIterable<AuditFeedRecord> {
    return this.#audit.read(partition, from);
  }

  /** A stored sample with all its copies; `undefined`: the record is none of the region. */
  at(partition: number, record: AuditFeedRecord): Debt | undefined {
    const debt = debtIn(partition, record, this.#region);
    return debt === undefined ? undefined : this.#fold.held(debt);
  }

  /** Those of one partition, in order, in batches that fit into memory. */
  async *batches(partition: number, from: bigint, wanted: Wanted): AsyncGenerator<readonly Debt[]> {
    const end = this.#fold.next(partition);
    let [batch, bytes, found]: [Debt[], number, number] = [[], 0, 0];
    for await (const record of this.#audit.read(partition, from)) {
      if (record.offset >= end || wanted.signal.aborted) break;
      if (!wanted.record(record)) continue;
      found += 1;
      const debt = this.at(partition, record);
      if (debt === undefined || !wanted.debt(debt)) continue;
      // The source's bytes, and what is set aside.
      const needs = 2 * debt.holding.sealedBytes;
      if (batch.length >= BATCH.copies || (batch.length > 0 && bytes + needs > BATCH.bytes)) {
        yield batch;
        [batch, bytes] = [[], 0];
      }
      batch.push(debt);
      bytes += needs;
      if (found >= wanted.most) break;
    }
    if (batch.length > 0) yield batch;
  }

  /**
   * The offsets of those of these submissions, by partition; of others too, once in 2^64. Looks
   * through the keys of all samples, and at no record.
   */
  async offsetsOf(submissions: Pick<KeySet, 'hasKey'>): Promise<ReadonlyMap<number, OffsetSet>> {
    const all = new Map<number, OffsetSet>();
    for (const partition of await this.partitions()) {
      const offsets = new OffsetSet();
      for (const offset of this.#fold.stored.within(partition, submissions)) offsets.add(offset);
      all.set(partition, offsets);
    }
    return all;
  }

  /** Those at these offsets, as `batches`. A batch's own may be deleted once it is there. */
  async *among(
    all: ReadonlyMap<number, OffsetSet>,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Debt[]> {
    for (const [partition, offsets] of all)
      for (const { from, count } of runsOf(partition, offsets))
        yield* this.batches(partition, from, {
          most: count,
          signal,
          record: ({ offset }) => offsets.has(offset),
          debt: () => true,
        });
  }

  /** Those that a site has a copy of, or a tombstone. `from`: by partition; absent: all. */
  async *in(
    site: string,
    from: ReadonlyMap<number, bigint>,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Debt[]> {
    for (const partition of await this.partitions())
      yield* this.batches(partition, from.get(partition) ?? 0n, {
        most: Infinity,
        signal,
        record: () => true,
        debt: (debt) =>
          debt.isErased
            ? !this.#fold.owing(debt).includes(site)
            : !debt.isLost && debt.holding.copies.some((copy) => copy.site === site),
      });
  }
}
