import type { LedgerFile, LedgerState, ReadLedgerFile } from '../src/index.ts';
import { EMPTY_LEDGER, LedgerReader, growth } from '../src/index.ts';

/**
 * A ledger's files in a map, as an auditor would write them to a store. Writing one path twice with
 * other bytes is a defect.
 */
export class MemoryLedger {
  readonly files = new Map<string, Uint8Array>();
  state: LedgerState = EMPTY_LEDGER;

  readonly read: ReadLedgerFile = async (path) => this.files.get(path);

  write(files: readonly LedgerFile[]): void {
    for (const { path, bytes } of files) {
      const before = this.files.get(path);
      if (before !== undefined && Buffer.compare(before, bytes) !== 0)
        throw new Error(`${path} would be overwritten with other bytes`);
      this.files.set(path, bytes);
    }
  }

  /** Appends and publishes; returns the root to sign. */
  grow(entries: readonly Uint8Array[]): Uint8Array {
    const { state, root, files } = growth(this.state, entries);
    this.write(files);
    this.state = state;
    return root;
  }

  open(root: Uint8Array): Promise<LedgerReader> {
    return LedgerReader.open({ size: this.state.size, root }, this.read);
  }
}
