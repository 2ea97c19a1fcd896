import { configurationOf } from '@residency/configuration';
import type { Configuration, ConfigurationSource } from '@residency/configuration';

/**
 * Of the sites only the readers' section: the reconciler does not need the writers' credentials.
 */
const SECTIONS = ['kafka', 'readers', 'reconciling', 'http', 'telemetry'] as const;

/** As docs/reference/configuration.md describes it. */
export type ReconcilerSettings = Pick<Configuration, (typeof SECTIONS)[number]>;

/** Throws `CONFIGURATION_INVALID`, which names every mistake. */
export function readConfig(
  env: ConfigurationSource['env'],
  readFile: ConfigurationSource['readFile'],
): ReconcilerSettings {
  return configurationOf(SECTIONS, { env, readFile });
}
