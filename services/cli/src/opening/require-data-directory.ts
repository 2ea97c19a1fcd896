import { isDataDirectory } from '@residency/standalone/data-directory-marker';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';

export type Where = Pick<Common, 'data' | 'config' | 'checkpoints'>;

/**
 * Throws `NOT_THERE` unless the data directory exists (or a cluster is named). Makes nothing: a
 * query must not change anything, and pausing a directory that no router uses would only seem to
 * pause.
 */
export async function requireDataDirectory({ data, config }: Where): Promise<void> {
  if (config === undefined && !(await isDataDirectory(data)))
    throw new CliError({
      code: 'NOT_THERE',
      message:
        'Expected --data to name a data directory, found none there; name the one that is used, make one with residency start, or name a cluster with --config.',
      remedy: 'stop',
    });
}

/**
 * Whether a command that works with or without a system is to use one: a cluster or a data directory
 * is named, or the default data directory exists. Throws `NOT_THERE` for a named one that does not.
 */
export async function isAsked(options: Omit<Common, 'json'>): Promise<boolean> {
  if (options.config !== undefined) return true;
  if (!options.dataGiven) return await isDataDirectory(options.data).catch(() => false);
  await requireDataDirectory(options);
  return true;
}
