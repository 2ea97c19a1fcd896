import { mkdir, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { runCommand } from './run-command.ts';

/**
 * Debian packages unpacked into a folder, not installed: no script of theirs runs, and the system
 * stays as it is. Uses the machine's own package sources. Returns an environment that finds their
 * commands.
 */
export async function debianTools(
  folder: string,
  packages: readonly string[],
  signal: AbortSignal,
): Promise<NodeJS.ProcessEnv> {
  const [archives, root] = [join(folder, 'archives'), join(folder, 'root')];
  await mkdir(archives, { recursive: true });
  await runCommand('apt-get', ['download', ...packages], { cwd: archives, signal });
  for (const archive of await readdir(archives))
    await runCommand('dpkg', ['-x', join(archives, archive), root], { signal });
  const found = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((path) => join(root, path));
  return {
    ...process.env,
    PATH: [...found, process.env['PATH'] ?? ''].join(delimiter),
    DEBOOTSTRAP_DIR: join(root, 'usr', 'share', 'debootstrap'),
  };
}
