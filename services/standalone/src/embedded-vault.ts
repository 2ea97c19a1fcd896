import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { StateFile } from '@residency/adapter-filesystem';
import { ledgerOrigin } from '@residency/auditing';
import { custodyTopic } from '@residency/contracts';
import { hasVaultFolder, openVault, readVaultFolder } from '@residency/custodian';
import type { ActiveDesks, VaultFolder } from '@residency/custodian';
import { verifierKeysOf } from '@residency/ledger';
import { PemUnwrapper } from '@residency/sealing';
import type { Vault } from '@residency/vault';
import type { DataDirectory } from './data-directory.ts';
import { embeddedStores } from './embedded-ledger.ts';
import type { EmbeddedSites } from './embedded-sites.ts';
import { LEDGER_PREFIX, ledgerKeys } from './ledger-key.ts';

export interface EmbeddedVault {
  readonly folder: VaultFolder;
  /** By region. */
  readonly vaults: ReadonlyMap<string, Vault>;
}

export interface EmbeddedVaultDeps {
  readonly data: DataDirectory;
  readonly sites: EmbeddedSites;
  readonly desks: ActiveDesks;
  readonly regions: readonly string[];
}

const REFERENCE_KEY = 'reference-key';

/** The folder of a data directory that says who may have samples. */
export function vaultFolderOf({ path }: Pick<DataDirectory, 'path'>): string {
  return join(path, 'vault');
}

/**
 * The vaults of a data directory's regions. `undefined`: it has no folder `vault`, so samples are not
 * given out. Makes the key of references, if it is missing. Throws as `readVaultFolder`.
 */
export async function openEmbeddedVault({
  data,
  sites,
  desks,
  regions,
}: EmbeddedVaultDeps): Promise<EmbeddedVault | undefined> {
  const path = vaultFolderOf(data);
  if (!(await hasVaultFolder(path))) return undefined;
  const key = new StateFile(path, REFERENCE_KEY);
  if ((await key.read()) === undefined)
    await key.replace(Buffer.from(`${randomBytes(32).toString('hex')}\n`));
  const folder = await readVaultFolder(path);
  const { log, keys } = data;
  const vaults = new Map<string, Vault>();
  for (const region of regions) {
    const of = { topic: custodyTopic(region), partition: 0 } as const;
    const ledger = await ledgerKeys(data, of);
    vaults.set(
      region,
      openVault({
        region,
        folder,
        desk: () => desks.of(region),
        outcomes: log.settledOutcomes(),
        consents: log.consentView(),
        sites: { site: (name) => sites.custodianSite(name, region) },
        unwrapper: new PemUnwrapper(keys, region),
        ledgers: embeddedStores(data).store,
        trust: {
          origin: ledgerOrigin(LEDGER_PREFIX, log.name, of, ledger.generation),
          generation: ledger.generation,
          keys: verifierKeysOf(ledger),
        },
      }),
    );
  }
  return { folder, vaults };
}
