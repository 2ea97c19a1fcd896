import {
  EMPTY_LEDGER,
  LedgerReader,
  TILE_WIDTH,
  emptyRoot,
  openCheckpoint,
  parseCheckpoint,
} from '@residency/ledger';
import type { Checkpoint, LedgerState, TreeHead, VerifierKey } from '@residency/ledger';
import { AuditingError } from '../auditing-error.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { checkpointPath, ledgerPath, nextHeadPath } from './ledger-paths.ts';

export interface LedgerPlace {
  readonly store: LedgerStore;
  readonly partition: number;
  readonly origin: string;
}

export interface PublishedLedger {
  /** The file `checkpoint`, if there is one. */
  readonly checkpoint: Uint8Array | undefined;
  readonly head: TreeHead;
  readonly state: LedgerState;
  /** The last leaves: 256 to 511 of them, or all. */
  readonly tail: readonly Uint8Array[];
  /** The head that was decided to follow this one, by whoever was to sign it; the next checkpoint is just that. */
  readonly decided: TreeHead | undefined;
}

/** What is published, each part checked against the checkpoint, and that against the key. Throws what `openCheckpoint` and `LedgerReader` do. */
export async function recoverLedger(
  place: LedgerPlace,
  key: VerifierKey,
): Promise<PublishedLedger> {
  const { store, partition, origin } = place;
  const checkpoint = await store.read(checkpointPath(partition));
  if (checkpoint === undefined)
    return {
      checkpoint,
      head: { size: 0, root: emptyRoot() },
      state: EMPTY_LEDGER,
      tail: [],
      decided: await readDecided(place, 0),
    };
  const {
    checkpoint: { size, root },
  } = await openCheckpoint(checkpoint, { origin, keys: [key] });
  const reader = await LedgerReader.open({ size, root }, (path) =>
    store.read(ledgerPath(partition, path)),
  );
  return {
    checkpoint,
    head: { size, root },
    state: await reader.state(),
    tail: await readTail(reader),
    decided: await readDecided(place, size),
  };
}

async function readTail(reader: LedgerReader): Promise<readonly Uint8Array[]> {
  const { size } = reader.head;
  if (size === 0) return [];
  const last = Math.floor((size - 1) / TILE_WIDTH);
  const before = last === 0 ? [] : await reader.entries(last - 1);
  return [...before, ...(await reader.entries(last))];
}

/** Throws `LEDGER_FORK` where what stands there is no head that could follow. */
export async function readDecided(
  { store, partition, origin }: LedgerPlace,
  size: number,
): Promise<TreeHead | undefined> {
  const path = nextHeadPath(partition, size);
  const bytes = await store.read(path);
  if (bytes === undefined) return undefined;
  const head = parseHead(bytes);
  if (head === undefined || head.origin !== origin || head.size <= size) throw forked(path);
  return head;
}

function parseHead(bytes: Uint8Array): Checkpoint | undefined {
  try {
    return parseCheckpoint(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

export function forked(path: string, cause?: unknown): AuditingError {
  return new AuditingError({
    code: 'LEDGER_FORK',
    remedy: 'stop',
    cause,
    message: `Expected ${path} of the ledger's store to hold what the audit log says, found something else: the log or the store was altered, or another log writes there. Nothing was signed. Keep both, and find out which one is true.`,
  });
}
