import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serversFolder } from './cache.ts';

const run = promisify(execFile);

export interface DebianProgram {
  /** Of the package and of the program in it. */
  readonly name: string;
  /** With which it ends at once, with 0. */
  readonly version: string;
}

/** The model checker. */
export const SPIN: DebianProgram = { name: 'spin', version: '-V' };
/** Compares two S3 buckets as an outsider. */
export const RCLONE: DebianProgram = { name: 'rclone', version: 'version' };

/** How to call it: on the PATH, or the one that `fetchProgram` brought. */
export async function programCommand({ name, version }: DebianProgram): Promise<string> {
  if (await answers(name, version)) return name;
  return existsSync(fetched(name)) ? fetched(name) : name;
}

/**
 * `programCommand`, after taking Debian's package apart into the cache if there is no other. Needs
 * no root.
 */
export async function fetchProgram(program: DebianProgram): Promise<string> {
  const { name, version } = program;
  const command = await programCommand(program);
  if (command !== name || (await answers(name, version))) return command;
  const cache = serversFolder();
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, `${name}.`));
  try {
    await run('apt-get', ['download', name], { cwd: fresh });
    const [archive] = (await readdir(fresh)).filter((file) => file.endsWith('.deb'));
    if (archive === undefined)
      throw new Error(`Expected apt-get to download the package ${name}, found no file of it.`);
    await run('dpkg-deb', ['-x', archive, '.'], { cwd: fresh });
    await rename(fresh, join(cache, name));
  } catch (error) {
    // Another process was quicker.
    if (!existsSync(fetched(name))) throw error;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return fetched(name);
}

function fetched(name: string): string {
  return join(serversFolder(), name, 'usr', 'bin', name);
}

async function answers(command: string, version: string): Promise<boolean> {
  return await run(command, [version]).then(
    () => true,
    () => false,
  );
}
