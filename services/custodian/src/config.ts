import { ConfigurationError, configurationOf } from '@residency/configuration';
import type { Configuration, ConfigurationSource } from '@residency/configuration';
import { defined } from '@residency/defined';

const SECTIONS = ['kafka', 'custodians', 'custody', 'http', 'telemetry'] as const;
/** What giving out samples needs besides. */
const VAULT_SECTIONS = ['keys', 'ledger', 'redis'] as const;

/** As docs/reference/configuration.md describes it, with the region. */
export type CustodianSettings = Omit<Pick<Configuration, (typeof SECTIONS)[number]>, 'custody'> & {
  readonly custody: Configuration['custody'] & { readonly region: string };
  /** Absent: samples are not given out. */
  readonly vault?: VaultSettings;
};

export type VaultSettings = Pick<Configuration, (typeof VAULT_SECTIONS)[number]> & {
  readonly directory: string;
};

/** Throws `CONFIGURATION_INVALID`, which names every mistake. */
export function readConfig(
  env: ConfigurationSource['env'],
  readFile: ConfigurationSource['readFile'],
): CustodianSettings {
  const { custody, ...settings } = configurationOf(SECTIONS, { env, readFile });
  const { region } = custody;
  const sites = settings.custodians.filter((site) => site.region === region);
  if (region === undefined || sites.length === 0)
    throw new ConfigurationError([
      {
        variable: 'RESIDENCY_CUSTODIAN_REGION',
        expected: 'a region of which the regions file has sites',
        found: region === undefined ? 'none' : 'another one',
      },
    ]);
  const { vaultDirectory: directory } = custody;
  const vault =
    directory === undefined
      ? undefined
      : { directory, ...configurationOf(VAULT_SECTIONS, { env, readFile }) };
  // Those of other regions are not even opened.
  return {
    ...settings,
    custodians: sites,
    custody: { ...custody, region },
    ...defined({ vault }),
  };
}
