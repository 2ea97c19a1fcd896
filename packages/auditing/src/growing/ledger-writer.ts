import {
  LedgerReader,
  appendEntries,
  consistencyProof,
  formatCheckpoint,
  partialFiles,
  signCheckpoint,
  stateRoot,
  verifyConsistency,
} from '@residency/ledger';
import type { LedgerKeys, LedgerState, ReadHash, Signer, TreeHead } from '@residency/ledger';
import { hasCode } from '@residency/coded-error';
import { AuditingError } from '../auditing-error.ts';
import { logText } from '../logs/log-text.ts';
import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { createAll } from './create-all.ts';
import { requireBeginsWithKept } from './kept-head.ts';
import type { KeptHead } from './kept-head.ts';
import { checkpointPath, ledgerPath, nextHeadPath } from './ledger-paths.ts';
import { filesOf, forked, readDecided } from './recover-ledger.ts';
import type { LedgerPlace, PublishedLedger } from './recover-ledger.ts';

export interface LedgerWriterOptions extends LedgerPlace, Pick<LedgerKeys, 'signer' | 'cosigner'> {
  readonly store: LedgerStore;
  readonly kept: KeptCheckpoints;
}

/**
 * Writes one log's ledger, starting from its published files. Files are created as they fill
 * up. `publish` decides on a head, signs it, keeps the checkpoint apart and then replaces the
 * published one. After any failure, discard the instance, recover, and repeat: the same leaves
 * write the same bytes.
 */
export class LedgerWriter {
  readonly #place: LedgerWriterOptions;
  #kept: KeptHead | undefined;
  #state: LedgerState;
  #head: TreeHead;
  #checkpoint: Uint8Array | undefined;
  #decided: TreeHead | undefined;

  constructor(place: LedgerWriterOptions, published: PublishedLedger, kept: KeptHead | undefined) {
    this.#place = place;
    this.#kept = kept;
    this.#state = published.state;
    this.#head = published.head;
    this.#checkpoint = published.checkpoint;
    this.#decided = published.decided;
  }

  /** The number of appended leaves, published or not. */
  get size(): number {
    return this.#state.size;
  }

  get published(): number {
    return this.#head.size;
  }

  /**
   * How many leaves may be appended before the next checkpoint. `Infinity`, unless a head was
   * decided already.
   */
  get room(): number {
    return this.#decided === undefined ? Infinity : this.#decided.size - this.#state.size;
  }

  /** Appends at most `room` leaves. The caller bounds their memory. */
  async append(leaves: readonly Uint8Array[]): Promise<void> {
    const { state, files } = appendEntries(this.#state, leaves);
    await this.#create(files);
    this.#state = state;
  }

  /**
   * Does nothing if nothing was appended. Throws `LEDGER_FORK`, `LEDGER_MOVED`, and the errors of
   * the store and `LedgerReader`.
   */
  async publish(): Promise<void> {
    const { size } = this.#state;
    if (size === this.#head.size) return;
    await this.#create(partialFiles(this.#state, this.#head.size));
    const head = { size, root: stateRoot(this.#state) };
    await this.#verify(head);
    const checkpoint = { ...head, origin: this.#place.origin, extensions: [] };
    await this.#decide(new TextEncoder().encode(formatCheckpoint(checkpoint)), size);
    const { of, generation, signer, cosigner } = this.#place;
    const signers: readonly [Signer, ...Signer[]] =
      cosigner === undefined ? [signer] : [cosigner, signer];
    const signed = await signCheckpoint(checkpoint, ...signers);
    await this.#keep(signed, head);
    await this.#place.store.publish(checkpointPath(of, generation), signed, this.#checkpoint);
    // A decided head may precede the published checkpoint: an older checkpoint was restored, or
    // another writer is ahead.
    this.#decided = this.#decided === undefined ? undefined : await readDecided(this.#place, size);
    [this.#head, this.#checkpoint] = [head, signed];
  }

  /**
   * Reads the tiles from the store, not from memory: an outsider reads the same files, so they must
   * have this root and begin with the signed tree.
   */
  async #verify(head: TreeHead): Promise<void> {
    const files = filesOf(this.#place);
    const reader = await LedgerReader.open(head, files);
    const read: ReadHash = (height, index) => reader.hash(height, index);
    verifyConsistency(this.#head, head, await consistencyProof(this.#head.size, head.size, read));
    if (this.#kept !== undefined && this.#kept.head.size <= head.size)
      await requireBeginsWithKept(this.#place.of, this.#kept, head, files);
  }

  /**
   * Kept before it is published, so that every published checkpoint is kept. The kept checkpoint
   * never goes back.
   */
  async #keep(signed: Uint8Array, head: TreeHead): Promise<void> {
    if (this.#kept !== undefined && this.#kept.head.size > head.size) return;
    await this.#place.kept.publish(
      checkpointPath(this.#place.of, this.#place.generation),
      signed,
      this.#kept?.bytes,
    );
    this.#kept = { bytes: signed, head };
  }

  /**
   * Only one head may follow another. It is stored before it is signed, and a later writer signs
   * the stored one.
   */
  async #decide(text: Uint8Array, size: number): Promise<void> {
    const path = this.#path(nextHeadPath(this.#head.size));
    try {
      await this.#place.store.create(path, text);
    } catch (error) {
      if (!hasCode(error, 'LEDGER_FORK')) throw error;
      const standing = await readDecided(this.#place, this.#head.size);
      if (standing === undefined || standing.size === size) throw forked(path, error);
      throw new AuditingError({
        code: 'LEDGER_MOVED',
        remedy: 'retry',
        cause: error,
        message: `Expected to choose the head that follows size ${this.#head.size} of the ledger of ${logText(this.#place.of)}, found that another writer chose it. Nothing is lost: the ledger is read again and continued.`,
      });
    }
  }

  #path(path: string): string {
    return ledgerPath(this.#place.of, path, this.#place.generation);
  }

  async #create(files: Parameters<typeof createAll>[1]): Promise<void> {
    await createAll(this.#place.store, files, (path) => this.#path(path));
  }
}
