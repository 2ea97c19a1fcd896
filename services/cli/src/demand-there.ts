import { isDataDirectory } from '@residency/standalone';
import { CliError } from './cli-error.ts';
import type { Where } from './with-system.ts';

/** Whoever pauses a folder that nobody routes from believes something is paused, and a question is to leave it as it is: nothing is made here. Throws `NOT_THERE`. */
export async function demandThere({ data, config }: Where): Promise<void> {
  if (config === undefined && !(await isDataDirectory(data)))
    throw new CliError({
      code: 'NOT_THERE',
      message:
        'Expected --data to name a data directory, found none there; name the one that is used, make one with residency start, or name a cluster with --config.',
      remedy: 'stop',
    });
}
