import type { TopicPartition } from '@residency/contracts';
import type { LedgerKeys } from '@residency/ledger';
import type { AuditRecord } from '../audit-record.ts';
import { AuditingError } from '../auditing-error.ts';
import { logText } from '../logs/log-text.ts';
import type { LedgerSource } from '../ports/ledger-source.ts';
import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { checkKept } from './check-ledger.ts';
import type { LeafWatch } from './leaf-watch.ts';
import { readFirstLeaf } from './first-leaf.ts';
import { leafOf } from './leaf-of.ts';
import { FIRST_LEAF_PATH, ledgerPath } from './ledger-paths.ts';
import { LedgerWriter } from './ledger-writer.ts';
import { newRecords } from './new-records.ts';
import { withFirstLeaf } from './with-first-leaf.ts';

export interface LedgerProgress {
  /** The number of leaves of the published checkpoint. */
  readonly published: number;
  /** Leaves read so far. */
  readonly size: number;
  /** True if the checkpoint covers everything that was in the log when it was last read. */
  readonly current: boolean;
}

/** The signer's keys must have the ledger's origin as their name (`ledgerOrigin`). */
export interface GrowLedgerOptions
  extends Pick<LedgerKeys, 'signer' | 'cosigner'>, Partial<Pick<LedgerKeys, 'former'>> {
  readonly source: LedgerSource;
  readonly store: LedgerStore;
  /**
   * A place other than `store`. The newest checkpoint is kept there before it is published, and
   * compared before anything is signed.
   */
  readonly kept: KeptCheckpoints;
  /** Default 1. */
  readonly generation?: number;
  readonly watch: LeafWatch;
  /**
   * The least time between two checkpoints, milliseconds. With `until: 'end'`, the checkpoint at
   * the end of the log does not wait.
   */
  readonly intervalMs: number;
  /** A monotonic clock, milliseconds. */
  readonly now: () => number;
  /**
   * `end`: until the checkpoint covers everything that was in the log at the call. `aborted`: until
   * `signal` is aborted.
   */
  readonly until: 'end' | 'aborted';
  readonly signal: AbortSignal;
  readonly progress?: (progress: LedgerProgress) => void;
}

/**
 * The most leaves that are appended at a time. Their files are held in memory, besides one batch of
 * the source.
 */
const MOST_AT_ONCE = 1_024;

/**
 * Grows one log's ledger: recovers the published one, compares it with the checkpoint kept
 * apart, reads on after its last leaf, appends, and publishes checkpoints. Returns once `signal` is
 * aborted, at any point, without loss. Rejects with remedy `retry` for transient failures, after
 * which it may be called again, and with `stop` for failures that need a person. In that case,
 * nothing was signed that contradicts an earlier signature.
 */
export async function growLedger(options: GrowLedgerOptions): Promise<void> {
  const { store, watch, now, until, intervalMs, signal } = options;
  const checked = await checkKept(options);
  if (checked === undefined) return;
  const { published, kept } = checked;
  const writer = new LedgerWriter(
    { ...options, of: options.source.of, origin: options.signer.key.name, store },
    published,
    kept,
  );
  const first = await readFirstLeaf(options);
  if (first !== undefined) await keepFirstLeaf(options, first);
  watch.begin(
    first !== undefined && published.tail.length === published.head.size
      ? published.tail.slice(1)
      : published.tail,
    published.head.size,
  );
  reportProgress(options, writer, false);
  let last = -Infinity;
  const source = withFirstLeaf(options.source, first);
  for await (const records of newRecords(source, published, signal)) {
    if (signal.aborted) return;
    await append(writer, watch, records, first === undefined ? 0 : 1);
    const ended = records.length === 0;
    if (ended) requireDecidedLeaves(writer, source.of);
    const due = now() - last >= intervalMs || (ended && until === 'end');
    if (due && writer.room === Infinity && writer.size > writer.published) {
      await writer.publish();
      last = now();
    }
    reportProgress(options, writer, ended);
    if (ended && until === 'end') return;
  }
}

/** In both places: with the log and this file the ledger can be rebuilt. */
async function keepFirstLeaf(
  { source, store, kept, generation }: GrowLedgerOptions,
  leaf: Uint8Array,
): Promise<void> {
  const path = ledgerPath(source.of, FIRST_LEAF_PATH, generation);
  if ((await kept.read(path)) === undefined) await kept.publish(path, leaf, undefined);
  await store.create(path, leaf);
}

/** The first `unwatched` leaves are not events. */
async function append(
  writer: LedgerWriter,
  watch: LeafWatch,
  records: readonly AuditRecord[],
  unwatched: number,
): Promise<void> {
  for (let from = 0; from < records.length;) {
    const part = records.slice(from, from + Math.min(MOST_AT_ONCE, writer.room));
    const first = writer.size;
    await writer.append(part.map(({ value }) => leafOf(value)));
    for (const [at, record] of part.entries())
      if (first + at >= unwatched) watch.follow(record, first + at);
    from += part.length;
    if (writer.room === 0) await writer.publish();
  }
}

/** A decided head has a size, so the log must have that many leaves. */
function requireDecidedLeaves({ room, size }: LedgerWriter, of: TopicPartition): void {
  if (room === Infinity) return;
  throw new AuditingError({
    code: 'HEAD_AHEAD_OF_LOG',
    remedy: 'retry',
    message: `Expected ${logText(of)} to have the ${size + room} records that a head decided before counts, found ${size}. It is read again; if this lasts, the log lost its end: keep ledger and log, and find out.`,
  });
}

function reportProgress(
  { progress }: GrowLedgerOptions,
  { published, size }: LedgerWriter,
  ended: boolean,
): void {
  progress?.({ published, size, current: ended && published === size });
}
