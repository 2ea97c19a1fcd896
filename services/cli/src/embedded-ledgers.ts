import { join } from 'node:path';
import { TOPICS } from '@residency/contracts';
import { ledgerSigner } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { isThere } from './is-there.ts';
import { ledgerIn } from './ledger-files.ts';
import type { Ledgers } from './ledgers.ts';
import { refuseExisting } from './write-new-file.ts';

/** A data directory's one ledger. Nothing is made by asking. */
export async function embeddedLedgers(data: Pick<DataDirectory, 'path' | 'log'>): Promise<Ledgers> {
  const key = join(data.path, 'ledger-key');
  return {
    partitions: [0],
    empty: new Set((await data.log.end(TOPICS.audit)) === 0n ? [0] : []),
    store: { read: ledgerIn(join(data.path, 'ledger')).read },
    verifierKey: async () => ((await isThere(key)) ? (await ledgerSigner(data)).key : undefined),
    makeKey: async () => {
      await refuseExisting(key, "the ledger's key");
      await ledgerSigner(data);
    },
  };
}
