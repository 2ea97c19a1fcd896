import { CHECKPOINT_PATH, tilePath } from '@residency/ledger';

/** A ledger's name in its checkpoints, and of the key that signs them: one ledger for each partition of an audit log. */
export function ledgerOrigin(prefix: string, log: string, partition: number): string {
  return `${prefix}/${log}/${partition}`;
}

/** Where a file of a partition's ledger stands in a store: `path` as C2SP tlog-tiles names it. */
export function ledgerPath(partition: number, path: string): string {
  return `${partition}/${path}`;
}

export function checkpointPath(partition: number): string {
  return ledgerPath(partition, CHECKPOINT_PATH);
}

/** The tree head that follows the checkpoint of `size`, decided before it is signed: in groups of three digits, as tiles are. */
export function nextHeadPath(partition: number, size: number): string {
  return ledgerPath(
    partition,
    tilePath({ level: 'entries', index: size, width: 256 }).replace('tile/entries/', 'next/'),
  );
}

// No segment begins with a dot, and none is empty: nothing leads out of the store.
const PATH = /^(?:0|[1-9]\d{0,9})(?:\/[a-z0-9][a-z0-9.]{0,31}){1,10}$/;

/** Whether a store may have a file under this path. Stores check it themselves: whoever asks over HTTP controls it. */
export function isLedgerPath(path: string): boolean {
  return PATH.test(path);
}
