import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serversFolder } from './cache.ts';

const run = promisify(execFile);

/** The model checker: on the PATH, or the one that `fetchSpin` brought. */
export async function spinCommand(): Promise<string> {
  try {
    await run('spin', ['-V']);
    return 'spin';
  } catch {
    return existsSync(fetched()) ? fetched() : 'spin';
  }
}

/** `spinCommand`, after taking Debian's package apart into the cache if there is no other. */
export async function fetchSpin(): Promise<string> {
  const command = await spinCommand();
  if (command !== 'spin' || (await answers(command))) return command;
  const cache = serversFolder();
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, 'spin.'));
  try {
    await run('apt-get', ['download', 'spin'], { cwd: fresh });
    const [archive] = (await readdir(fresh)).filter((name) => name.endsWith('.deb'));
    if (archive === undefined)
      throw new Error('Expected apt-get to download the package spin, found no file of it.');
    await run('dpkg-deb', ['-x', archive, '.'], { cwd: fresh });
    await rename(fresh, join(cache, 'spin'));
  } catch (error) {
    // Another process was quicker.
    if (!existsSync(fetched())) throw error;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return fetched();
}

function fetched(): string {
  return join(serversFolder(), 'spin', 'usr', 'bin', 'spin');
}

async function answers(command: string): Promise<boolean> {
  return await run(command, ['-V']).then(
    () => true,
    () => false,
  );
}
