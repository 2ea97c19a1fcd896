import type { TopicPartition } from '@residency/contracts';
import type { LedgerKeys } from '@residency/ledger';
import { AuditingError } from '../auditing-error.ts';
import { logText } from '../logs/log-text.ts';
import type { LedgerSource } from '../ports/ledger-source.ts';
import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { checkKept } from './check-ledger.ts';
import type { LeafWatch } from './leaf-watch.ts';
import { readFirstLeaf } from './first-leaf.ts';
import { leavesOf } from './leaves-of.ts';
import type { LogLeaf } from './leaves-of.ts';
import type { KeptHead } from './kept-head.ts';
import { FIRST_LEAF_PATH, checkpointPath, ledgerPath } from './ledger-paths.ts';
import type { PublishedLedger } from './recover-ledger.ts';
import { LedgerWriter } from './ledger-writer.ts';
import { newLeaves } from './new-leaves.ts';

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
  const { published } = checked;
  const kept = checked.kept ?? (await keepAgain(options, published));
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
  const source = leavesOf(options.source, first);
  for await (const leaves of newLeaves(source, published, signal, watch)) {
    if (signal.aborted) return;
    await append(writer, watch, leaves);
    const ended = leaves.length === 0;
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

/** A log that seldom grows must not stay without a kept checkpoint until it does. */
async function keepAgain(
  { source, kept, generation }: GrowLedgerOptions,
  { checkpoint, head }: PublishedLedger,
): Promise<KeptHead | undefined> {
  if (checkpoint === undefined) return undefined;
  await kept.publish(checkpointPath(source.of, generation), checkpoint, undefined);
  return { bytes: checkpoint, head };
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

async function append(
  writer: LedgerWriter,
  watch: LeafWatch,
  leaves: readonly LogLeaf[],
): Promise<void> {
  for (let from = 0; from < leaves.length;) {
    const part = leaves.slice(from, from + Math.min(MOST_AT_ONCE, writer.room));
    const first = writer.size;
    await writer.append(part.map(({ bytes }) => bytes));
    for (const [at, leaf] of part.entries()) watch.follow(leaf, first + at);
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
