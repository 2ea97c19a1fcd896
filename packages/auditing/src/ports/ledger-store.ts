/**
 * Where the ledgers of an audit log stand: files under relative paths, `<partition>/checkpoint` and others below `<partition>/`. A path of
 * another form is refused (`INVALID_LEDGER_PATH`, stop). Whatever a method gives or answers is durable once it resolves. Errors carry remedy
 * `retry` where the same call may succeed later, and then the store may have done all of it. Whoever writes repeats; a store does not.
 * Any number of instances and processes may use one place.
 */
export interface LedgerStore {
  /** The whole file; `undefined` where there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Makes a file that never changes. `same`: just these bytes stand there already. Throws `LEDGER_FORK` (stop) where other bytes do;
   * they stay. `bytes` is not kept.
   */
  create(path: string, bytes: Uint8Array): Promise<'created' | 'same'>;
  /**
   * Puts `bytes` in the place of `replaces`, `undefined` for nothing, so that what is published never goes back. Resolves too where `bytes`
   * stand there already; throws `LEDGER_MOVED` (retry) where anything else does. For the checkpoint only: nobody sees half a file.
   */
  publish(path: string, bytes: Uint8Array, replaces: Uint8Array | undefined): Promise<void>;
}
