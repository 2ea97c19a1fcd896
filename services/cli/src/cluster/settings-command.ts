import { configurationOf } from '@residency/configuration';
import type { Configuration, Section } from '@residency/configuration';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { readConfigFile } from './config-file.ts';
import type { ConfigFile } from './config-file.ts';
import type { Session } from '../terminal/session.ts';

/** The settings for a command of clusters only. Without `--config`, those of the environment. */
export async function settingsFile(
  session: Session,
  { config, dataGiven }: Common,
): Promise<ConfigFile> {
  if (dataGiven)
    throw usage(
      "Expected this command without --data, because a data directory has no such settings; name a cluster's with --config.",
    );
  return await readConfigFile(session, config);
}

/** The sections it needs. Throws `CONFIGURATION_INVALID`. */
export async function settingsOf<const S extends Section>(
  session: Session,
  options: Common,
  sections: readonly S[],
): Promise<Pick<Configuration, S>> {
  return configurationOf(sections, await settingsFile(session, options));
}
