import { randomBytes, randomUUID } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ledgerOrigin } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import { NOTE_SIGNATURE, makeKey, openSignerKey } from '@residency/ledger';
import type { Signer } from '@residency/ledger';
import type { DataDirectory } from './data-directory.ts';

/** As for a cluster whose settings name no other. */
const PREFIX = 'residency-router';
const FILE = 'ledger-key';

/** The key that signs a data directory's ledger, made at its first need, for its owner alone. Two that make it at once get one. Throws `INVALID_KEY` where the file holds no key. */
export async function ledgerSigner({
  path,
  log,
}: Pick<DataDirectory, 'path' | 'log'>): Promise<Signer> {
  const file = join(path, FILE);
  const text = (await readKey(file)) ?? (await createKey(path, file));
  return await openSignerKey(text.trim(), ledgerOrigin(PREFIX, log.name, 0));
}

async function readKey(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function createKey(directory: string, file: string): Promise<string> {
  const { signerKey } = await makeKey(PREFIX, randomBytes(32), NOTE_SIGNATURE);
  const temporary = `${file}.${randomUUID()}`;
  try {
    await write(temporary, `${signerKey}\n`);
    await link(temporary, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await sync(directory);
  return await readFile(file, 'utf8');
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A checkpoint must never be signed by a key that a power cut takes away. */
async function sync(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
