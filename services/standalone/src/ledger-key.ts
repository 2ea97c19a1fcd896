import { randomBytes } from 'node:crypto';
import { StateFile } from '@residency/adapter-filesystem';
import { ledgerOrigin } from '@residency/auditing';
import type { TopicPartition } from '@residency/contracts';
import {
  NOTE_SIGNATURE,
  formatKeyFile,
  makeKey,
  openLedgerKeys,
  parseKeyFile,
} from '@residency/ledger';
import type { KeyFile, LedgerKeys } from '@residency/ledger';
import { StandaloneError } from './standalone-error.ts';

/** The parts of a data directory that the key needs. */
interface KeyHolder {
  readonly path: string;
}

/** The default of a cluster's `RESIDENCY_LEDGER_ORIGIN` too. */
export const LEDGER_PREFIX = 'residency-router';
const FILE = 'ledger-key';

/** The keys of one of a data directory's ledgers, and its generation. */
export interface EmbeddedKeys extends LedgerKeys {
  readonly generation: number;
}

/**
 * Throws `LEDGER_KEY_LOST` if there is no key, and `INVALID_KEY` if the file holds an invalid one.
 */
export async function ledgerKeys(
  data: KeyHolder & { readonly log: { readonly name: string } },
  of: TopicPartition,
): Promise<EmbeddedKeys> {
  const file = await ledgerKeyFile(data).read();
  if (file === undefined) throw ledgerKeyLost(data);
  return {
    ...(await openLedgerKeys(
      file,
      ledgerOrigin(LEDGER_PREFIX, data.log.name, of, file.generation),
    )),
    generation: file.generation,
  };
}

export interface LedgerKeyFile {
  /** `undefined`: there is no key file. */
  read(): Promise<KeyFile | undefined>;
  /** Replaces the content that `read` returned; atomic and durable. */
  replace(file: KeyFile): Promise<void>;
}

/** The key file of a data directory. Only its owner may read it. */
export function ledgerKeyFile({ path }: KeyHolder): LedgerKeyFile {
  const state = new StateFile(path, FILE);
  return {
    read: async () => {
      const bytes = await state.read();
      return bytes === undefined ? undefined : parseKeyFile(bytes.toString('utf8'));
    },
    replace: async (file) => {
      await state.replace(Buffer.from(formatKeyFile(file)));
    },
  };
}

/** A new secret in the format of the key file. */
export async function newSecret(): Promise<string> {
  return (await makeKey(LEDGER_PREFIX, randomBytes(32), NOTE_SIGNATURE)).signerKey;
}

/**
 * Only during the creation of a directory, under its lock. A key that is missing later is not
 * recreated.
 */
export async function makeLedgerKey(path: string): Promise<void> {
  const file = ledgerKeyFile({ path });
  if ((await file.read()) === undefined)
    await file.replace({ generation: 1, secrets: [await newSecret()], former: [] });
}

export function ledgerKeyLost({ path }: KeyHolder): StandaloneError {
  return new StandaloneError({
    code: 'LEDGER_KEY_LOST',
    message: `Expected the key of the ledger in ${path} (${FILE}), found none; it is made once, with the data directory, and never anew over a ledger. Restore it from a backup. If it is lost for good: residency audit new-ledger (docs/how-to/rotate-the-ledger-key.md).`,
    remedy: 'stop',
  });
}
