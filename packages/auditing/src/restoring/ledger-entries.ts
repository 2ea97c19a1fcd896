import {
  LedgerReader,
  TILE_WIDTH,
  consistencyProof,
  emptyRoot,
  verifyConsistency,
} from '@residency/ledger';
import type { TreeHead, VerifierKey } from '@residency/ledger';
import { AuditingError } from '../auditing-error.ts';
import { isSuccessor } from '../growing/ledger-paths.ts';
import { filesOf, recoverLedger } from '../growing/recover-ledger.ts';
import type { LedgerPlace } from '../growing/recover-ledger.ts';
import { compareKept } from '../verifying/compare-kept.ts';

/** A ledger to read entries from. */
export interface RestoredLedger {
  readonly place: LedgerPlace;
  /** The keys that may have signed it; at least one. */
  readonly keys: readonly VerifierKey[];
  /** The checkpoint that is kept apart, read before this call; absent: none. */
  readonly kept?: Uint8Array;
}

/**
 * The entries of one partition's ledger that are records of the audit log. A later ledger's first
 * leaf is not one of them. Each entry is checked against the head.
 */
export class LedgerEntries {
  readonly size: number;
  readonly #reader: LedgerReader | undefined;
  readonly #before: number;
  #bundle: { readonly index: number; readonly entries: readonly Uint8Array[] } | undefined;

  private constructor(reader: LedgerReader | undefined, before: number) {
    this.#reader = reader;
    this.#before = before;
    this.size = Math.max(0, (reader?.head.size ?? 0) - before);
  }

  /**
   * Opens the ledger at its checkpoint, or at the head that was decided to follow it: an auditor
   * signs exactly that head, so its entries have to come back too. Throws `LEDGER_ROLLED_BACK` if
   * it does not begin with the kept checkpoint, `LEDGER_FORK` if the decided head does not begin
   * with the signed one, and the errors of `openCheckpoint` and `LedgerReader`.
   */
  static async open({ place, keys, kept }: RestoredLedger): Promise<LedgerEntries> {
    const { head, decided } = await recoverLedger(place, keys);
    const read = filesOf(place);
    const fault = await compareKept(read, kept);
    if (fault !== undefined)
      throw new AuditingError({
        code: 'LEDGER_ROLLED_BACK',
        remedy: 'stop',
        message: fault.message,
      });
    const last = decided ?? head;
    const reader = last.size === 0 ? undefined : await LedgerReader.open(last, read);
    if (decided !== undefined && reader !== undefined) await requireGrown(head, reader);
    return new LedgerEntries(reader, isSuccessor(place.origin) ? 1 : 0);
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

async function requireGrown(signed: TreeHead, reader: LedgerReader): Promise<void> {
  const older = signed.size === 0 ? { size: 0, root: emptyRoot() } : signed;
  verifyConsistency(
    older,
    reader.head,
    await consistencyProof(older.size, reader.head.size, (height, index) =>
      reader.hash(height, index),
    ),
  );
}
