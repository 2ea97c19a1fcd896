import { TOPICS } from '@residency/contracts';
import { defined } from '@residency/defined';
import {
  CHECKPOINT_PATH,
  LedgerReader,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
} from '@residency/ledger';
import type { Checkpoint, ReadLedgerFile, TreeHead, Trust } from '@residency/ledger';
import { codeOf } from '@residency/coded-error';
import { isSuccessor, topicOfOrigin } from '../growing/ledger-paths.ts';
import { compareKept } from './compare-kept.ts';
import { EntryFaults } from './entry-faults.ts';
import type { FoundEntries } from './entry-faults.ts';
import type { LedgerFault, LedgerFaultCode } from './ledger-fault.ts';
import { LedgerFaulty, rebuild } from './rebuild.ts';
import type { Rebuilt } from './rebuild.ts';

export interface FsckOptions {
  /**
   * Absent: the checkpoint's signature is not checked, and everybody with write access to the files
   * can make them consistent.
   */
  readonly trust?: Trust;
  /** An older checkpoint of the same ledger that a verifier kept. */
  readonly since?: Uint8Array;
  /** The checkpoint that the ledger's operator keeps apart, read before this call. */
  readonly kept?: Uint8Array;
  /** The number of bundles read concurrently. Default 8. */
  readonly window?: number;
  readonly maxListed?: number;
  readonly onProgress?: (entries: number, of: number) => void;
}

export interface FsckReport {
  /** From the checkpoint; absent if it cannot be read. */
  readonly checkpoint?: Pick<Checkpoint, 'origin' | 'size' | 'root'>;
  /** The size of the older checkpoint, if it is the beginning of this one. */
  readonly since?: number;
  readonly files: number;
  /** The first fault; absent: the files are the ledger of the checkpoint. */
  readonly fault?: LedgerFault;
  /** Faults of the events themselves, which a correct tree can still contain. */
  readonly entryFaults: FoundEntries;
}

/**
 * Rebuilds a ledger from its entries, bundle after bundle, and compares each tile, the root, the
 * signatures, the root of an older checkpoint, and each event's place in its log. Names the
 * first faulty file. Errors of `read` are thrown unchanged.
 */
export async function fsck(read: ReadLedgerFile, options: FsckOptions = {}): Promise<FsckReport> {
  const most = options.maxListed ?? 1_000;
  let entryFaults = new EntryFaults(TOPICS.audit, most);
  let checkpoint: Checkpoint | undefined;
  let files = 0;
  try {
    checkpoint = await openAt(await read(CHECKPOINT_PATH), CHECKPOINT_PATH, options.trust);
    const { origin, size, root } = checkpoint;
    entryFaults = new EntryFaults(topicOfOrigin(origin), most);
    const since =
      options.since === undefined
        ? undefined
        : await openSince(options.since, checkpoint, options.trust);
    const rebuilt = await rebuildNaming(checkpoint, read, options, since, entryFaults);
    ({ files } = rebuilt);
    const fault =
      (await faultOf(checkpoint, rebuilt, read)) ??
      (since === undefined ? undefined : inconsistency(since, rebuilt)) ??
      (await compareKept(read, options.kept));
    return {
      checkpoint: { origin, size, root },
      files,
      entryFaults: entryFaults.finish(),
      ...defined({ fault }),
      ...(since === undefined || fault !== undefined ? {} : { since: since.size }),
    };
  } catch (error) {
    if (!(error instanceof LedgerFaulty)) throw error;
    return {
      ...defined({ checkpoint }),
      files,
      entryFaults: entryFaults.finish(),
      fault: error.fault,
    };
  }
}

async function openAt(
  bytes: Uint8Array | undefined,
  path: string,
  trust: Trust | undefined,
): Promise<Checkpoint> {
  if (bytes === undefined)
    throw new LedgerFaulty({
      code: 'CHECKPOINT_MISSING',
      path,
      message: 'Expected a signed checkpoint, found none; nothing says what this ledger is.',
    });
  try {
    return trust === undefined
      ? parseCheckpoint(parseNote(bytes).text)
      : (await openCheckpoint(bytes, trust)).checkpoint;
  } catch (error) {
    const code = codeOf(error);
    if (
      code === undefined ||
      code === 'INVALID_TRUST' ||
      code === 'CRYPTO_UNAVAILABLE' ||
      !(error instanceof Error)
    )
      throw error;
    throw new LedgerFaulty({
      code: code.startsWith('INVALID') ? 'CHECKPOINT_INVALID' : 'CHECKPOINT_UNTRUSTED',
      path,
      message: `${error.message} (${code})`,
    });
  }
}

/** The path in a fault of the older checkpoint, which is not a file of the ledger. */
export const SINCE_PATH = '--since';

async function openSince(
  bytes: Uint8Array,
  { origin, size }: Checkpoint,
  trust: Trust | undefined,
): Promise<Checkpoint> {
  const since = await openAt(bytes, SINCE_PATH, trust);
  if (since.origin !== origin)
    throw new LedgerFaulty({
      code: 'CHECKPOINT_UNTRUSTED',
      path: SINCE_PATH,
      message:
        'Expected an older checkpoint of this ledger, found one of another origin; name the one that was kept.',
    });
  if (since.size > size)
    throw new LedgerFaulty({
      code: 'INCONSISTENT',
      path: CHECKPOINT_PATH,
      message: `Expected a ledger that has grown since the older checkpoint of ${since.size} entries, found one of ${size}; keep both checkpoints, they are evidence.`,
    });
  return since;
}

async function rebuildNaming(
  head: Checkpoint,
  read: ReadLedgerFile,
  { window = 8, onProgress }: FsckOptions,
  since: Checkpoint | undefined,
  entryFaults: EntryFaults,
): Promise<Rebuilt> {
  return await rebuild(head.size, read, {
    window,
    olderSize: since?.size,
    onEntries: (entries, from) => {
      entryFaults.add(entries, from, { successor: isSuccessor(head.origin) });
      onProgress?.(from + entries.length, head.size);
    },
  });
}

function inconsistency(since: TreeHead, { olderRoot }: Rebuilt): LedgerFault | undefined {
  if (olderRoot !== undefined && Buffer.compare(olderRoot, since.root) === 0) return undefined;
  return {
    code: 'INCONSISTENT',
    path: CHECKPOINT_PATH,
    message:
      'Expected the ledger to begin with the tree of the older checkpoint, found that it does not: its past was rewritten. Keep both checkpoints, they are evidence.',
  };
}

/**
 * If the entries give the root, a tile that differs is at fault. Otherwise, the first entry that
 * the signed root does not lead to is at fault.
 */
async function faultOf(
  head: TreeHead,
  { root, differing }: Rebuilt,
  read: ReadLedgerFile,
): Promise<LedgerFault | undefined> {
  if (Buffer.compare(root, head.root) === 0) return differing;
  return (
    (await faultBelow(head, read)) ??
    differing ?? {
      code: 'ROOT_DIFFERS',
      path: CHECKPOINT_PATH,
      message:
        'Expected the checkpoint of these entries, found one of another tree, although all tiles agree with the entries. Checkpoint or entries were replaced.',
    }
  );
}

const CODES: ReadonlyMap<string, LedgerFaultCode> = new Map([
  ['INVALID_TILE', 'TILE_DIFFERS'],
  ['INVALID_ENTRY_BUNDLE', 'ENTRIES_DIFFER'],
  ['TILE_MISSING', 'FILE_MISSING'],
]);

/**
 * Walks from the root down to every entry. `undefined`: the partial tiles already do not lead to
 * the root.
 */
async function faultBelow(head: TreeHead, read: ReadLedgerFile): Promise<LedgerFault | undefined> {
  let path = '';
  // One file at a time: if a read is refused, the last file is at fault.
  const reading: ReadLedgerFile = async (one) => {
    path = one;
    return await read(one);
  };
  try {
    const reader = await LedgerReader.open(head, reading);
    for (let index = 0; index * 256 < head.size; index += 1) await reader.entries(index);
  } catch (error) {
    const code = CODES.get(codeOf(error) ?? '');
    if (code !== undefined && error instanceof Error) return { code, path, message: error.message };
    if (codeOf(error) !== 'ROOT_MISMATCH') throw error;
  }
  return undefined;
}
