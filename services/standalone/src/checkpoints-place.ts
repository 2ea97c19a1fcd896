import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { hasCode } from '@residency/coded-error';
import { StandaloneError } from './standalone-error.ts';

/**
 * The user's folder for state (XDG Base Directory Specification). It is apart from every data
 * directory, so it is not restored with one.
 */
export function defaultCheckpoints({
  RESIDENCY_CHECKPOINTS,
  XDG_STATE_HOME,
}: NodeJS.ProcessEnv): string {
  if (RESIDENCY_CHECKPOINTS !== undefined && RESIDENCY_CHECKPOINTS !== '')
    return RESIDENCY_CHECKPOINTS;
  const state =
    XDG_STATE_HOME === undefined || XDG_STATE_HOME === ''
      ? join(homedir(), '.local', 'state')
      : XDG_STATE_HOME;
  return join(state, 'residency-router', 'checkpoints');
}

/**
 * The place as an absolute path. Throws `CHECKPOINTS_UNUSABLE` if it is in the data directory,
 * because it would be restored with it.
 */
export async function placeApart(directory: string, checkpoints: string): Promise<string> {
  const place = resolve(checkpoints);
  const [data, apart] = await Promise.all([real(directory), real(place)]);
  if (apart === data || apart.startsWith(data.endsWith(sep) ? data : data + sep)) {
    throw new StandaloneError({
      code: 'CHECKPOINTS_UNUSABLE',
      message: `Expected the place of kept checkpoints outside the data directory ${directory}, with which it would be restored; found ${place}. Name another with --checkpoints or RESIDENCY_CHECKPOINTS.`,
      remedy: 'stop',
    });
  }
  return place;
}

/** Resolves links of the existing part of the path. */
async function real(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) return path;
    return join(await real(dirname(path)), basename(path));
  }
}
