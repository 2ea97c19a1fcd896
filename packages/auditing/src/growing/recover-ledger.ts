import {
  CHECKPOINT_PATH,
  EMPTY_LEDGER,
  LedgerReader,
  TILE_WIDTH,
  emptyRoot,
  openCheckpoint,
  parseCheckpoint,
} from '@residency/ledger';
import type {
  Checkpoint,
  LedgerState,
  ReadLedgerFile,
  TreeHead,
  VerifierKey,
} from '@residency/ledger';
import type { TopicPartition } from '@residency/contracts';
import { AuditingError } from '../auditing-error.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { ledgerPath, nextHeadPath } from './ledger-paths.ts';

export interface LedgerPlace {
  readonly store: Pick<LedgerStore, 'read'>;
  readonly of: TopicPartition;
  /** Default 1. */
  readonly generation?: number;
  readonly origin: string;
}

/** The files of one ledger. */
export function filesOf({ store, of, generation }: Omit<LedgerPlace, 'origin'>): ReadLedgerFile {
  return (path) => store.read(ledgerPath(of, path, generation));
}

export interface PublishedLedger {
  /** The content of the file `checkpoint`, if it exists. */
  readonly checkpoint: Uint8Array | undefined;
  readonly head: TreeHead;
  readonly state: LedgerState;
  /** The last leaves: 256 to 511 of them, or all. */
  readonly tail: readonly Uint8Array[];
  /**
   * The head that a writer decided on for the next checkpoint. The next checkpoint must have this
   * head.
   */
  readonly decided: TreeHead | undefined;
}

/**
 * Reads the published ledger. Checks each part against the checkpoint, and the checkpoint against
 * the keys. Throws the errors of `openCheckpoint` and `LedgerReader`.
 */
export async function recoverLedger(
  place: LedgerPlace,
  keys: readonly VerifierKey[],
): Promise<PublishedLedger> {
  const read = filesOf(place);
  const checkpoint = await read(CHECKPOINT_PATH);
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
  } = await openCheckpoint(checkpoint, { origin: place.origin, keys });
  const reader = await LedgerReader.open({ size, root }, read);
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

/** Reads the decided head after `size`. Throws `LEDGER_FORK` if it cannot follow. */
export async function readDecided(place: LedgerPlace, size: number): Promise<TreeHead | undefined> {
  const bytes = await filesOf(place)(nextHeadPath(size));
  if (bytes === undefined) return undefined;
  const head = parseHead(bytes);
  if (head === undefined || head.origin !== place.origin || head.size <= size)
    throw forked(ledgerPath(place.of, nextHeadPath(size), place.generation));
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
    message: `Expected ${path} of the ledger's store to hold what the log says, found something else: the log or the store was altered, or another log writes there. Nothing was signed. Keep both, and find out which one is true.`,
  });
}
