import type { LedgerStore } from './ledger-store.ts';

/**
 * Keeps the newest signed checkpoint of each ledger apart from ledger and log:
 * `<log>/checkpoint`, as in a ledger's store. It must not be restored together with the
 * ledger that it guards. `publish` is durable once it resolves.
 */
export type KeptCheckpoints = Pick<LedgerStore, 'read' | 'publish'>;
