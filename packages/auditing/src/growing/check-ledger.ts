import { defined } from '@residency/defined';
import { LEDGER_ERROR_CODES } from '@residency/ledger';
import type { LedgerKeys, VerifierKey } from '@residency/ledger';
import { codeOf } from '@residency/coded-error';
import type { LedgerSource } from '../ports/ledger-source.ts';
import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { readFirstLeaf } from './first-leaf.ts';
import { KeptSearch, requireBeginsWithKept, readKept } from './kept-head.ts';
import type { KeptHead } from './kept-head.ts';
import { leavesOf } from './leaves-of.ts';
import { newLeaves } from './new-leaves.ts';
import { filesOf, recoverLedger } from './recover-ledger.ts';
import type { LedgerPlace, PublishedLedger } from './recover-ledger.ts';

export interface CheckLedgerOptions
  extends Pick<LedgerKeys, 'signer' | 'cosigner'>, Partial<Pick<LedgerKeys, 'former'>> {
  readonly source: LedgerSource;
  readonly store: Pick<LedgerStore, 'read'>;
  readonly kept: KeptCheckpoints;
  readonly generation?: number;
  readonly signal: AbortSignal;
}

export interface CheckedLedger {
  readonly published: PublishedLedger;
  /** Absent: nothing was kept yet. */
  readonly kept: KeptHead | undefined;
}

/**
 * Checks that ledger, log and the checkpoint kept apart belong to one history, before
 * anything is settled. Writes nothing. `undefined`: `signal` was aborted first. Throws
 * `LEDGER_ROLLED_BACK`, `LEDGER_KEY_UNKNOWN`, `KEPT_CHECKPOINT_INVALID`, `LEDGER_AHEAD_OF_LOG`,
 * `LEDGER_FORK`, and the errors of `openCheckpoint`, `LedgerReader` and the ports.
 */
export async function checkLedger(options: CheckLedgerOptions): Promise<CheckedLedger | undefined> {
  const checked = await compareWithKept(options);
  return (await reach(options, checked)) ? checked : undefined;
}

/**
 * Like `checkLedger`, for a caller that then reads the log after the published leaves: reads the
 * log only if the kept checkpoint is ahead of them.
 */
export async function checkKept(options: CheckLedgerOptions): Promise<CheckedLedger | undefined> {
  const checked = await compareWithKept(options);
  const { kept, published } = checked;
  return kept === undefined ||
    kept.head.size <= published.head.size ||
    (await reach(options, checked))
    ? checked
    : undefined;
}

async function compareWithKept(options: CheckLedgerOptions): Promise<CheckedLedger> {
  const { source, store, generation, signer, cosigner, former = [] } = options;
  const keys = [signer.key, ...(cosigner === undefined ? [] : [cosigner.key]), ...former];
  const place = {
    store,
    of: source.of,
    origin: signer.key.name,
    ...defined({ generation }),
  };
  return await recoverWithKept(place, keys, options.kept);
}

/**
 * Reads the published ledger and the checkpoint that is kept apart, if there is a place for it.
 * Throws `LEDGER_ROLLED_BACK` if the kept one is not ahead and the published one does not begin with
 * it, and the errors of `readKept` and `recoverLedger`.
 */
export async function recoverWithKept(
  place: LedgerPlace,
  keys: readonly VerifierKey[],
  keptIn: Pick<KeptCheckpoints, 'read'> | undefined,
): Promise<CheckedLedger> {
  // A checkpoint is kept before it is published, so the kept one must be read before the published
  // one.
  const kept = keptIn === undefined ? undefined : await readKept(keptIn, place, keys);
  const published = await recoverLedger(place, keys);
  if (kept !== undefined && kept.head.size <= published.head.size)
    await requireBeginsWithKept(place.of, kept, published.head, filesOf(place));
  return { published, kept };
}

/**
 * Checks that the published leaves, and those up to the kept size, are in the log. `false`:
 * aborted.
 */
async function reach(
  options: CheckLedgerOptions,
  { published, kept }: CheckedLedger,
): Promise<boolean> {
  const search = new KeptSearch(options.source.of, kept?.head ?? published.head, published.state);
  for await (const leaves of newLeaves(
    leavesOf(options.source, await readFirstLeaf(options)),
    published,
    options.signal,
  )) {
    search.follow(leaves);
    if (search.reached) return true;
  }
  return false;
}

/**
 * True if an error means that the ledger differs from what was signed, rather than that something
 * is unreachable.
 */
export function saysOfLedger(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code !== undefined && (LEDGER_ERROR_CODES.some((one) => one === code) || OF_HISTORY.has(code))
  );
}

const OF_HISTORY: ReadonlySet<string> = new Set([
  'LEDGER_ROLLED_BACK',
  'LEDGER_KEY_UNKNOWN',
  'KEPT_CHECKPOINT_INVALID',
  'LEDGER_AHEAD_OF_LOG',
  'LEDGER_FORK',
]);
