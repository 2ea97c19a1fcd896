import { ConfigurationError, configurationOf } from '@residency/configuration';
import type { Configuration, ConfigurationSource } from '@residency/configuration';

const SECTIONS = ['kafka', 'custodians', 'custody', 'http', 'telemetry'] as const;

/** As docs/reference/configuration.md describes it, with the region. */
export type CustodianSettings = Omit<Pick<Configuration, (typeof SECTIONS)[number]>, 'custody'> & {
  readonly custody: Configuration['custody'] & { readonly region: string };
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
  // Those of other regions are not even opened.
  return { ...settings, custodians: sites, custody: { ...custody, region } };
}
