import { hasCode } from '@residency/coded-error';
import {
  LedgerReader,
  TILE_WIDTH,
  consistencyProof,
  emptyRoot,
  verifyConsistency,
} from '@residency/ledger';
import type { TreeHead, VerifierKey } from '@residency/ledger';
import { AuditingError } from '../auditing-error.ts';
import { recoverWithKept } from '../growing/check-ledger.ts';
import type { CheckedLedger } from '../growing/check-ledger.ts';
import { rolledBack } from '../growing/kept-head.ts';
import { isSuccessor } from '../growing/ledger-paths.ts';
import { filesOf } from '../growing/recover-ledger.ts';
import type { LedgerPlace } from '../growing/recover-ledger.ts';
import { logText } from '../logs/log-text.ts';
import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';

/** A ledger to read entries from. */
export interface RestoredLedger {
  readonly place: LedgerPlace;
  /** The keys that may have signed it; at least one. */
  readonly keys: readonly VerifierKey[];
  /** The place of the checkpoints that are kept apart; absent: none. */
  readonly kept?: Pick<KeptCheckpoints, 'read'>;
}

/**
 * The entries of one ledger that are records of its log. A later ledger's first
 * leaf is not one of them. Each entry is checked against a head that the ledger's key signed.
 */
export class LedgerEntries {
  readonly size: number;
  /** The entries of a head that was decided to follow, and that nobody signed. They are not read. */
  readonly unsigned: number;
  readonly #reader: LedgerReader | undefined;
  readonly #before: number;
  #bundle: { readonly index: number; readonly entries: readonly Uint8Array[] } | undefined;

  private constructor(reader: LedgerReader | undefined, before: number, unsigned: number) {
    this.#reader = reader;
    this.#before = before;
    this.size = Math.max(0, (reader?.head.size ?? 0) - before);
    this.unsigned = unsigned;
  }

  /**
   * Opens the ledger at its newest signed head: the published checkpoint, or the kept one if an
   * auditor was killed before it published that. Throws `LEDGER_ROLLED_BACK` if the published ledger
   * and the kept checkpoint are not one history, `LEDGER_KEY_UNKNOWN` if another key signed, and the
   * errors of `openCheckpoint` and `LedgerReader`.
   */
  static async open({ place, keys, kept }: RestoredLedger): Promise<LedgerEntries> {
    const {
      published: { head, decided },
      kept: apart,
    } = await recover(place, keys, kept);
    const ahead = apart !== undefined && apart.head.size > head.size ? apart.head : undefined;
    const last = ahead ?? head;
    const reader = last.size === 0 ? undefined : await open(place, last, head.size);
    if (ahead !== undefined && reader !== undefined) await requireGrown(head, reader);
    return new LedgerEntries(
      reader,
      isSuccessor(place.origin) ? 1 : 0,
      Math.max(0, (decided?.size ?? 0) - last.size),
    );
  }

  /** `index`: of the record, from 0 up to `size`. */
  async at(index: number): Promise<Uint8Array> {
    const leaf = index + this.#before;
    const bundle = Math.floor(leaf / TILE_WIDTH);
    if (this.#bundle?.index !== bundle)
      this.#bundle = { index: bundle, entries: (await this.#reader?.entries(bundle)) ?? [] };
    const entry = this.#bundle.entries[leaf % TILE_WIDTH];
    if (entry === undefined) throw new RangeError(`Expected an entry below ${this.size}.`);
    return entry;
  }
}

async function recover(
  place: LedgerPlace,
  keys: readonly VerifierKey[],
  kept: RestoredLedger['kept'],
): Promise<CheckedLedger> {
  try {
    return await recoverWithKept(place, keys, kept);
  } catch (error) {
    if (!hasCode(error, 'KEY_UNKNOWN')) throw error;
    throw new AuditingError({
      code: 'LEDGER_KEY_UNKNOWN',
      remedy: 'stop',
      cause: error,
      message: `Expected the checkpoint of ${logText(place.of)} to be signed by a key of this ledger, found another key's. Restore the key file that belongs to it.`,
    });
  }
}

/** The files of the kept head were written before it was signed, unless an older ledger was put back. */
async function open(place: LedgerPlace, head: TreeHead, published: number): Promise<LedgerReader> {
  try {
    return await LedgerReader.open(head, filesOf(place));
  } catch (error) {
    if (head.size > published && hasCode(error, 'TILE_MISSING'))
      throw rolledBack(place.of, head, published);
    throw error;
  }
}

async function requireGrown(published: TreeHead, reader: LedgerReader): Promise<void> {
  const older = published.size === 0 ? { size: 0, root: emptyRoot() } : published;
  verifyConsistency(
    older,
    reader.head,
    await consistencyProof(older.size, reader.head.size, (height, index) =>
      reader.hash(height, index),
    ),
  );
}
