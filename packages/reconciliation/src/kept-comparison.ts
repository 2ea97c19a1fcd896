import {
  EMPTY_RANGE,
  appendHashes,
  leafHash,
  parseCheckpoint,
  parseNote,
  rootOf,
} from '@residency/ledger';
import type { CompactRange, TreeHead } from '@residency/ledger';

/**
 * Compares the audit log of a partition with the checkpoint that is kept apart. The root is
 * computed from the log itself, not from the ledger.
 */
export class KeptComparison {
  readonly #kept: TreeHead | undefined;
  readonly #onDifference: (message: string) => void;
  #range: CompactRange = EMPTY_RANGE;

  /** `undefined`: no checkpoint is kept apart. */
  static of(
    kept: Uint8Array | undefined,
    onDifference: (message: string) => void,
  ): KeptComparison | undefined {
    return kept === undefined ? undefined : new KeptComparison(kept, onDifference);
  }

  /** The owner of the separate place controls the bytes. Signatures are verified elsewhere. */
  private constructor(kept: Uint8Array, onDifference: (message: string) => void) {
    this.#onDifference = onDifference;
    this.#kept = headIn(kept);
    if (this.#kept === undefined)
      this.#onDifference(
        'Expected a checkpoint kept apart, found something else in its place; restore the file.',
      );
  }

  /** Adds the next leaf, computed from the log. */
  add(leaf: Uint8Array): void {
    const { size, root } = this.#kept ?? { size: 0, root: undefined };
    if (this.#range.size >= size) return;
    this.#range = appendHashes(this.#range, [leafHash(leaf)]);
    if (
      this.#range.size < size ||
      root === undefined ||
      Buffer.compare(rootOf(this.#range), root) === 0
    )
      return;
    this.#onDifference(
      `Expected the first ${size} events to be those of the checkpoint kept apart, found that they are not: an older copy was put back and went on in another way, or events were altered. Keep log and checkpoint; docs/how-to/back-up-and-restore.md.`,
    );
  }

  end(): void {
    const { size } = this.#kept ?? { size: 0 };
    if (this.#range.size < size)
      this.#onDifference(
        `Expected the ${size} events of the checkpoint kept apart, found ${this.#range.size}: an older copy was put back, or events were lost. Keep log and checkpoint; docs/how-to/back-up-and-restore.md.`,
      );
  }
}

function headIn(bytes: Uint8Array): TreeHead | undefined {
  try {
    return parseCheckpoint(parseNote(bytes).text);
  } catch {
    return undefined;
  }
}
