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
import type { LedgerState, ReadHash, Signer, TreeHead } from '@residency/ledger';
import { hasCode } from '@residency/coded-error';
import { AuditingError } from '../auditing-error.ts';
import { createAll } from './create-all.ts';
import { checkpointPath, ledgerPath, nextHeadPath } from './ledger-paths.ts';
import { forked, readDecided } from './recover-ledger.ts';
import type { LedgerPlace, PublishedLedger } from './recover-ledger.ts';

/**
 * One partition's ledger, from its published files on. Files are created as they fill up; `publish` decides on a head, signs it and puts the checkpoint in the
 * place of the last one. Whatever fails, the instance is done for: recover, and repeat. The same leaves write the same bytes.
 */
export class LedgerWriter {
  readonly #place: LedgerPlace;
  readonly #signer: Signer;
  #state: LedgerState;
  #head: TreeHead;
  #checkpoint: Uint8Array | undefined;
  #decided: TreeHead | undefined;

  constructor(place: LedgerPlace, signer: Signer, published: PublishedLedger) {
    this.#place = place;
    this.#signer = signer;
    this.#state = published.state;
    this.#head = published.head;
    this.#checkpoint = published.checkpoint;
    this.#decided = published.decided;
  }

  /** Leaves appended, published or not. */
  get size(): number {
    return this.#state.size;
  }

  get published(): number {
    return this.#head.size;
  }

  /** How many leaves may be appended before the next checkpoint, `Infinity` but where a head was decided. */
  get room(): number {
    return this.#decided === undefined ? Infinity : this.#decided.size - this.#state.size;
  }

  /** At most `room` of them; what they hold of memory is the caller's bound. */
  async append(leaves: readonly Uint8Array[]): Promise<void> {
    const { state, files } = appendEntries(this.#state, leaves);
    await this.#create(files);
    this.#state = state;
  }

  /** Nothing to do where nothing was appended. Throws `LEDGER_FORK`, `LEDGER_MOVED`, and what the store and `LedgerReader` do. */
  async publish(): Promise<void> {
    const { size } = this.#state;
    if (size === this.#head.size) return;
    await this.#create(partialFiles(this.#state, this.#head.size));
    const head = { size, root: stateRoot(this.#state) };
    await this.#verify(head);
    const checkpoint = { ...head, origin: this.#place.origin, extensions: [] };
    await this.#decide(new TextEncoder().encode(formatCheckpoint(checkpoint)), size);
    const signed = await signCheckpoint(checkpoint, this.#signer);
    await this.#place.store.publish(
      checkpointPath(this.#place.partition),
      signed,
      this.#checkpoint,
    );
    // Behind a head that was decided before others may have been: an older checkpoint was put back, or another writer is ahead.
    this.#decided = this.#decided === undefined ? undefined : await readDecided(this.#place, size);
    [this.#head, this.#checkpoint] = [head, signed];
  }

  /** From the store, not from memory: what an outsider will read makes this root, and begins with what was signed before. */
  async #verify(head: TreeHead): Promise<void> {
    const { store, partition } = this.#place;
    const reader = await LedgerReader.open(head, (path) => store.read(ledgerPath(partition, path)));
    const read: ReadHash = (height, index) => reader.hash(height, index);
    verifyConsistency(this.#head, head, await consistencyProof(this.#head.size, head.size, read));
  }

  /** Only one head may ever follow another: it stands before it is signed, and whoever comes later signs that one. */
  async #decide(text: Uint8Array, size: number): Promise<void> {
    const path = nextHeadPath(this.#place.partition, this.#head.size);
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
        message: `Expected to decide which head follows size ${this.#head.size} of the ledger of partition ${this.#place.partition}, found it decided by another writer. Nothing is lost: the ledger is read again and goes on from there.`,
      });
    }
  }

  async #create(files: Parameters<typeof createAll>[1]): Promise<void> {
    await createAll(this.#place.store, files, (path) => ledgerPath(this.#place.partition, path));
  }
}
