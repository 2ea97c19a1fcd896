import { codeOf, hasCode } from '@residency/coded-error';
import type { TopicPartition } from '@residency/contracts';
import {
  LedgerReader,
  appendEntries,
  consistencyProof,
  openCheckpoint,
  stateRoot,
  verifyConsistency,
} from '@residency/ledger';
import type { LedgerState, ReadLedgerFile, TreeHead, VerifierKey } from '@residency/ledger';
import { AuditingError } from '../auditing-error.ts';
import { logText } from '../logs/log-text.ts';
import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LogLeaf } from './leaves-of.ts';
import { checkpointPath } from './ledger-paths.ts';
import type { LedgerPlace } from './recover-ledger.ts';

/** The newest checkpoint of a ledger, from the place apart. */
export interface KeptHead {
  readonly bytes: Uint8Array;
  readonly head: TreeHead;
}

/**
 * The kept checkpoint of a ledger; `undefined`: none yet. Throws `LEDGER_ROLLED_BACK` if a later
 * generation is kept, `LEDGER_KEY_UNKNOWN` if other keys signed it, `KEPT_CHECKPOINT_INVALID` if it
 * is no checkpoint of this ledger.
 */
export async function readKept(
  kept: Pick<KeptCheckpoints, 'read'>,
  { of, generation = 1, origin }: LedgerPlace,
  keys: readonly VerifierKey[],
): Promise<KeptHead | undefined> {
  if ((await kept.read(checkpointPath(of, generation + 1))) !== undefined)
    throw laterGeneration(of, generation);
  const bytes = await kept.read(checkpointPath(of, generation));
  if (bytes === undefined) return undefined;
  try {
    return { bytes, head: (await openCheckpoint(bytes, { origin, keys })).checkpoint };
  } catch (error) {
    throw refusedKept(of, error);
  }
}

/** Throws `LEDGER_ROLLED_BACK` unless the tree of `head` begins with the kept one. */
export async function requireBeginsWithKept(
  of: TopicPartition,
  { head: kept }: KeptHead,
  head: TreeHead,
  read: ReadLedgerFile,
): Promise<void> {
  if (kept.size > head.size) throw rolledBack(of, kept, head.size);
  const reader = await LedgerReader.open(head, read);
  try {
    verifyConsistency(
      kept,
      head,
      await consistencyProof(kept.size, head.size, (height, index) => reader.hash(height, index)),
    );
  } catch (error) {
    throw hasCode(error, 'INCONSISTENT') ? rewritten(of, kept, head.size, error) : error;
  }
}

/**
 * Reads the log from a ledger's published size to the kept size. A writer that was killed may have
 * kept a checkpoint without publishing it.
 */
export class KeptSearch {
  readonly #of: TopicPartition;
  readonly #kept: TreeHead;
  #state: LedgerState;

  constructor(of: TopicPartition, kept: TreeHead, published: LedgerState) {
    this.#of = of;
    this.#kept = kept;
    this.#state = published;
  }

  get reached(): boolean {
    return this.#state.size >= this.#kept.size;
  }

  /**
   * Throws `LEDGER_ROLLED_BACK` if the log has another root at the kept size, or if it ends (no
   * leaves) before it.
   */
  follow(leaves: readonly LogLeaf[]): void {
    const { size, root } = this.#kept;
    if (leaves.length === 0 && !this.reached)
      throw rolledBack(this.#of, this.#kept, this.#state.size);
    const missing = leaves.slice(0, Math.max(0, size - this.#state.size));
    this.#state = appendEntries(
      this.#state,
      missing.map(({ bytes }) => bytes),
    ).state;
    if (this.#state.size === size && Buffer.compare(stateRoot(this.#state), root) !== 0)
      throw rewritten(this.#of, this.#kept, size);
  }
}

const WAY_OUT =
  'Nothing is routed or signed. Restore the newest backup, or what was lost, if there is any; else begin a new ledger whose first leaf is the kept checkpoint: residency audit new-ledger (docs/how-to/back-up-and-restore.md).';

/** `found`: the number of leaves of ledger and log together. */
export function rolledBack(of: TopicPartition, { size }: TreeHead, found: number): AuditingError {
  return new AuditingError({
    code: 'LEDGER_ROLLED_BACK',
    remedy: 'stop',
    message: `Expected ${logText(of)} to have the ${size} events of the checkpoint that is kept apart, found ${found}: an older copy was put back, or events were lost. ${WAY_OUT}`,
  });
}

function rewritten(
  of: TopicPartition,
  { size }: TreeHead,
  found: number,
  cause?: unknown,
): AuditingError {
  return new AuditingError({
    code: 'LEDGER_ROLLED_BACK',
    remedy: 'stop',
    cause,
    message: `Expected ${logText(of)} to begin with the ${size} events of the checkpoint that is kept apart, found ${found} that do not: an older copy was put back and went on in another way, or events were altered. ${WAY_OUT}`,
  });
}

function laterGeneration(of: TopicPartition, generation: number): AuditingError {
  return new AuditingError({
    code: 'LEDGER_ROLLED_BACK',
    remedy: 'stop',
    message: `Expected generation ${generation} of the ledger of ${logText(of)} to be the newest, found a checkpoint of generation ${generation + 1} kept apart: an older key file was put back. ${WAY_OUT}`,
  });
}

function refusedKept(of: TopicPartition, error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'KEY_UNKNOWN' || code === 'SIGNATURE_INVALID') {
    return new AuditingError({
      code: 'LEDGER_KEY_UNKNOWN',
      remedy: 'stop',
      cause: error,
      message: `Expected the checkpoint of ${logText(of)} that is kept apart to be signed by a key of this ledger, found another key's: the key file was replaced. Restore the key that signed; if it is lost, residency audit new-ledger (docs/how-to/rotate-the-ledger-key.md).`,
    });
  }
  if (code === undefined || code === 'CRYPTO_UNAVAILABLE') return error;
  return new AuditingError({
    code: 'KEPT_CHECKPOINT_INVALID',
    remedy: 'stop',
    cause: error,
    message: `Expected the place of kept checkpoints to hold one of this ledger for ${logText(of)}, found something else (${code}). Name the place that is this log's, or restore the file; give each log a place of its own.`,
  });
}
