import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ledgerOrigin } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import { NOTE_SIGNATURE, makeKey, openSignerKey } from '@residency/ledger';
import type { VerifierKey } from '@residency/ledger';
import { CliError } from './cli-error.ts';
import { reason } from './find-files.ts';
import { writeNewFile } from './write-new-file.ts';

/** Whose ledgers: of this log, named under this prefix. */
export interface LedgerNames {
  readonly prefix: string;
  readonly log: string;
}

/** What outsiders verify a partition's ledger with, from the file with the secret; `undefined`: there is no such file. */
export async function verifierKeyFrom(
  path: string,
  { prefix, log }: LedgerNames,
  partition: number,
): Promise<VerifierKey | undefined> {
  const text = await readSecret(path);
  return text === undefined
    ? undefined
    : (await openSignerKey(text.trim(), ledgerOrigin(prefix, log, partition))).key;
}

async function readSecret(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined;
    throw new CliError({
      code: 'FILE_UNREADABLE',
      message: `Expected the ledger's key file to be one this user can read, found ${reason(cause)}; correct its permissions.`,
      remedy: 'stop',
      cause,
    });
  }
}

/** Throws `FILE_EXISTS`: a key that signed a checkpoint is not replaced. */
export async function makeLedgerKey(path: string, prefix: string): Promise<void> {
  const { signerKey } = await makeKey(prefix, randomBytes(32), NOTE_SIGNATURE);
  await writeNewFile(path, Buffer.from(`${signerKey}\n`), "the ledger's key file");
}
