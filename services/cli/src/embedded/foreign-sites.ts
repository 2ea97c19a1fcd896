import { readdir } from 'node:fs/promises';
import { FilesystemSiteReader } from '@residency/adapter-filesystem';
import type { DataDirectory } from '@residency/standalone';

/**
 * Names of entries among the sites' folders that are no site of a policy. An empty folder is left
 * out: publishing a policy makes its sites first.
 */
export async function foreignSites(
  { sitePath }: Pick<DataDirectory, 'sitePath'>,
  named: ReadonlySet<string>,
): Promise<readonly string[]> {
  const foreign: string[] = [];
  for (const entry of await readdir(sitePath('.'), { withFileTypes: true })) {
    if (named.has(entry.name)) continue;
    if (
      !entry.isDirectory() ||
      (await holdsSomething(new FilesystemSiteReader(sitePath(entry.name), entry.name)))
    )
      foreign.push(entry.name);
  }
  return foreign;
}

async function holdsSomething(reader: FilesystemSiteReader): Promise<boolean> {
  for await (const _ of reader.list()) return true;
  return (await reader.temporaries()).length > 0;
}
