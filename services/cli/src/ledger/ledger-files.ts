import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '@residency/coded-error';
import { isRecordLog } from '@residency/auditing';
import { regionOfCustody } from '@residency/contracts';
import type { CodedError } from '@residency/coded-error';
import { MAX_ENTRY_BYTES, TILE_WIDTH } from '@residency/ledger';
import type { ReadLedgerFile, VerifierKey } from '@residency/ledger';
import { CliError } from '../terminal/cli-error.ts';
import { printable } from '../terminal/output.ts';
import { readBounded } from '../terminal/read-bounded.ts';
import { reason } from '../terminal/reason.ts';
import type { Session } from '../terminal/session.ts';

/**
 * The largest file of a ledger is a full bundle of the longest entries. The ledger's host controls
 * the files.
 */
const MOST_BYTES = TILE_WIDTH * (MAX_ENTRY_BYTES + 2);
const PATIENCE_MS = 60_000;

/** One ledger that somebody asks about. */
export interface NamedLedger {
  readonly name: string;
  readonly read: ReadLedgerFile;
  /** The keys that must have signed it, if this system knows them. */
  readonly keys?: readonly VerifierKey[];
  /** Why nothing is wrong where it has no checkpoint. */
  readonly mayBeMissing?: string;
  /** The checkpoint that is kept apart, read before the ledger. */
  readonly kept?: Uint8Array;
  /** This system knows where checkpoints are kept. */
  readonly compares?: boolean;
  /** Why this system has no key, if it must have one. */
  readonly keyLost?: CodedError;
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
        message: `Expected the ledger's server to return a file or 404, found status ${response.status}; try again, or ask its operator.`,
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

/**
 * The ledger in a folder, or those in its folders that are named as in a store. Throws
 * `NOT_THERE` where there is none.
 */
export async function ledgersIn(folder: string): Promise<readonly NamedLedger[]> {
  const names = await usable(folder, () => readdir(folder));
  if (names.includes('checkpoint') || names.includes('tile')) return [ledgerIn(folder)];
  const partitions = names
    .filter((name) => /^(?:0|[1-9]\d{0,9})$/.test(name))
    .sort((a, b) => Number(a) - Number(b));
  const named = names
    .filter((name) => regionOfCustody(name) !== undefined || isRecordLog(name))
    .sort();
  if (partitions.length + named.length === 0)
    throw new CliError({
      code: 'NOT_THERE',
      message:
        'Expected a folder with a ledger (checkpoint, tile/), or with one for each log, found neither; name another.',
      remedy: 'stop',
    });
  return [...partitions, ...named.map((name) => join(name, '0'))].map((name) =>
    ledgerIn(join(folder, name)),
  );
}

export function ledgerIn(folder: string): NamedLedger {
  return {
    name: folder,
    read: (path) => usable(join(folder, path), () => readIfThere(join(folder, path))),
  };
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

async function usable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CliError({
      code: 'FILE_UNREADABLE',
      message: `Expected the ledger's ${printable(path)} to be readable by this user, found ${reason(cause)}; correct its name or its permissions.`,
      remedy: 'stop',
      cause,
    });
  }
}
