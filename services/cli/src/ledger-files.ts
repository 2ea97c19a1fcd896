import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '@residency/coded-error';
import { MAX_ENTRY_BYTES, TILE_WIDTH } from '@residency/ledger';
import type { ReadLedgerFile, VerifierKey } from '@residency/ledger';
import { CliError } from './cli-error.ts';
import { reason } from './find-files.ts';
import { readBounded } from './read-bounded.ts';
import type { Session } from './session.ts';

/** The largest file a ledger can have is a full bundle of the longest entries; whoever keeps the files controls them. */
const MOST_BYTES = TILE_WIDTH * (MAX_ENTRY_BYTES + 2);
const PATIENCE_MS = 60_000;

/** One ledger that somebody asks about. */
export interface NamedLedger {
  readonly name: string;
  readonly read: ReadLedgerFile;
  /** Under which it must be signed, where this system knows. */
  readonly keys?: readonly VerifierKey[];
  /** Nothing is wrong where it has no checkpoint. */
  readonly mayBeMissing?: boolean;
}

/** The ledger at an auditor's `/ledger/<partition>`, or any mirror of it. */
export function ledgerAt(session: Session, url: string): NamedLedger {
  const base = url.endsWith('/') ? url : `${url}/`;
  return { name: url, read: (path) => fetchFile(session, new URL(path, base)) };
}

async function fetchFile({ signal }: Session, url: URL): Promise<Uint8Array | undefined> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (response.status === 404 || response.status === 410) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok)
      throw new CliError({
        code: 'LEDGER_UNREACHABLE',
        message: `Expected the ledger's server to give a file or say there is none, found status ${response.status}; try again, or ask whoever runs it.`,
        remedy: 'retry',
      });
    return await readBounded(
      response,
      MOST_BYTES,
      () =>
        new CliError({
          code: 'LEDGER_UNREACHABLE',
          message: `Expected files of at most ${MOST_BYTES} bytes, found a longer answer; this is no ledger.`,
          remedy: 'stop',
        }),
    );
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError({
      code: 'LEDGER_UNREACHABLE',
      message:
        'Expected to reach the ledger at this URL, found that it does not answer; see whether the auditor runs and the address is right.',
      remedy: 'retry',
      cause,
    });
  }
}

/** The ledger in a folder, or those in its folders that are numbers: a copy of a store. Throws `NOT_THERE` where there is none. */
export async function ledgersIn(folder: string): Promise<readonly NamedLedger[]> {
  const names = await usable(() => readdir(folder));
  if (names.includes('checkpoint') || names.includes('tile')) return [ledgerIn(folder)];
  const partitions = names
    .filter((name) => /^(?:0|[1-9]\d{0,9})$/.test(name))
    .sort((a, b) => Number(a) - Number(b));
  if (partitions.length === 0)
    throw new CliError({
      code: 'NOT_THERE',
      message:
        'Expected a folder with a ledger (checkpoint, tile/), or with one for each partition, found neither; name another.',
      remedy: 'stop',
    });
  return partitions.map((name) => ledgerIn(join(folder, name)));
}

export function ledgerIn(folder: string): NamedLedger {
  return { name: folder, read: (path) => usable(() => readIfThere(join(folder, path))) };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    // Without O_NONBLOCK opening a pipe would wait for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return (await file.stat()).size > MOST_BYTES ? new Uint8Array() : await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function usable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CliError({
      code: 'FILE_UNREADABLE',
      message: `Expected the ledger to be a folder this user can read, found ${reason(cause)}; correct its name or its permissions.`,
      remedy: 'stop',
      cause,
    });
  }
}
