import { configurationOf } from '@residency/configuration';
import type { Configuration, ConfigurationSource } from '@residency/configuration';

/** Of the sites only what lists and reads: the writers' credentials are not asked for. */
const SECTIONS = ['kafka', 'readers', 'reconciling', 'http', 'telemetry'] as const;

/** As docs/reference/configuration.md describes it. */
export type ReconcilerSettings = Pick<Configuration, (typeof SECTIONS)[number]>;

/** Throws `CONFIGURATION_INVALID` with every mistake there is. */
export function readConfig(
  env: ConfigurationSource['env'],
  readFile: ConfigurationSource['readFile'],
): ReconcilerSettings {
  return configurationOf(SECTIONS, { env, readFile });
}
