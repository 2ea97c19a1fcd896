import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hasCode } from '@residency/coded-error';
import { NOTE_SIGNATURE, makeKey, parseKeyFile } from '@residency/ledger';
import type { KeyFile } from '@residency/ledger';
import { CliError } from '../terminal/cli-error.ts';
import { reason } from '../terminal/reason.ts';

/** The file with the secret; `undefined`: there is no such file. Throws `INVALID_KEY`. */
export async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return undefined;
    throw new CliError({
      code: 'FILE_UNREADABLE',
      message: `Expected the ledger's key file to be one this user can read, found ${reason(cause)}; correct its permissions.`,
      remedy: 'stop',
      cause,
    });
  }
  return parseKeyFile(text);
}

export async function newLedgerSecret(prefix: string): Promise<string> {
  return (await makeKey(prefix, randomBytes(32), NOTE_SIGNATURE)).signerKey;
}

export function ledgerKeyLost(found: string): CliError {
  return new CliError({
    code: 'LEDGER_KEY_LOST',
    message: `Expected the ledgers' key, found none, and ${found}: no key is made over what another signed. Restore it from a backup. If it is lost for good: residency audit new-ledger --lost key (docs/how-to/rotate-the-ledger-key.md).`,
    remedy: 'stop',
  });
}
