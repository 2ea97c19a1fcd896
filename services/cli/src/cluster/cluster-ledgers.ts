import { TOPICS } from '@residency/contracts';
import { CliError } from '../cli-error.ts';
import { makeLedgerKey, verifierKeyFrom } from '../ledger-key.ts';
import type { Ledgers } from '../ledgers.ts';
import type { Cluster } from './cluster.ts';

const KEY_FILE = 'RESIDENCY_LEDGER_KEY_FILE';

/** A cluster's ledgers: read where its auditors write, with whatever the settings say of place and key. */
export async function clusterLedgers(cluster: Cluster): Promise<Ledgers> {
  const { origin: prefix } = cluster.settings('ledger');
  const log = await cluster.log();
  const ends = [...(await log.ends(TOPICS.audit))];
  const key = cluster.variable(KEY_FILE);
  return {
    partitions: ends.map(([partition]) => partition).sort((a, b) => a - b),
    empty: new Set(ends.filter(([, end]) => end === 0n).map(([partition]) => partition)),
    store: cluster.ledgerStore(),
    verifierKey: async (partition) =>
      key === undefined
        ? undefined
        : await verifierKeyFrom(key, { prefix, log: log.name }, partition),
    makeKey: async () => {
      if (key === undefined)
        throw new CliError({
          code: 'CONFIGURATION_INCOMPLETE',
          message: `Expected ${KEY_FILE} to name the file that the key is to be written to, found nothing; set it.`,
          remedy: 'stop',
        });
      await makeLedgerKey(key, prefix);
    },
  };
}
