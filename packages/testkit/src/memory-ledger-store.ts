import { AuditingError, isLedgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { CodedError } from '@residency/coded-error';

/** Ledgers in memory, for tests of the code that uses the port. */
export class MemoryLedgerStore implements LedgerStore {
  readonly files = new Map<string, Buffer>();

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.files.get(checked(path));
  }

  async create(path: string, bytes: Uint8Array): Promise<'created' | 'same'> {
    const standing = this.files.get(checked(path));
    if (standing === undefined) {
      this.files.set(path, Buffer.from(bytes));
      return 'created';
    }
    if (standing.equals(bytes)) return 'same';
    throw new AuditingError({
      code: 'LEDGER_FORK',
      message: `Expected the same bytes in ${path}, found others.`,
      remedy: 'stop',
    });
  }

  async publish(path: string, bytes: Uint8Array, replaces: Uint8Array | undefined): Promise<void> {
    const standing = this.files.get(checked(path));
    if (standing?.equals(bytes) === true) return;
    if (
      standing === undefined
        ? replaces !== undefined
        : replaces === undefined || !standing.equals(replaces)
    ) {
      throw new AuditingError({
        code: 'LEDGER_MOVED',
        message: `Expected ${path} to be what was read, found another.`,
        remedy: 'retry',
      });
    }
    this.files.set(path, Buffer.from(bytes));
  }
}

function checked(path: string): string {
  if (!isLedgerPath(path))
    throw new CodedError({
      code: 'INVALID_LEDGER_PATH',
      message: 'Expected a path of a ledger, found another.',
      remedy: 'stop',
    });
  return path;
}
