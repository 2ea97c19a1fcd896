import { configurationOf } from '@residency/configuration';
import type { Configuration, ConfigurationSource } from '@residency/configuration';

const SECTIONS = ['kafka', 'redis', 'http', 'routing', 'projecting', 'telemetry'] as const;

/** As docs/reference/configuration.md describes it. */
export type ProjectorSettings = Pick<Configuration, (typeof SECTIONS)[number]>;

/** Throws `CONFIGURATION_INVALID`, which names every mistake. */
export function readConfig(
  env: ConfigurationSource['env'],
  readFile: ConfigurationSource['readFile'],
): ProjectorSettings {
  return configurationOf(SECTIONS, { env, readFile });
}
