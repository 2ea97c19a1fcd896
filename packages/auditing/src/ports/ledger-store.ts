/**
 * Stores ledgers: files under relative paths, `<partition>/checkpoint` and others below
 * `<partition>/` for the audit log, and below `<topic>/<partition>/` for a custody log. Any other path is refused (`INVALID_LEDGER_PATH`, stop).
 *
 * Everything a method writes or returns is durable once it resolves. Errors have remedy `retry` if
 * the same call may succeed later; then the store may have done all of it. The caller repeats; a
 * store does not. Any number of instances and processes may use one place.
 */
export interface LedgerStore {
  /** The whole file; `undefined`: there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Creates a file that never changes. `same`: it exists with these bytes. Throws `LEDGER_FORK`
   * (stop) if it exists with other bytes; they stay. `bytes` is not kept.
   */
  create(path: string, bytes: Uint8Array): Promise<'created' | 'same'>;
  /**
   * Replaces `replaces` by `bytes` (`undefined`: creates the file), so that what is published never
   * goes back. Also resolves if the file holds `bytes` already. Throws `LEDGER_MOVED` (retry) if it
   * holds anything else. For the checkpoint only. Readers never see half a file.
   */
  publish(path: string, bytes: Uint8Array, replaces: Uint8Array | undefined): Promise<void>;
}
