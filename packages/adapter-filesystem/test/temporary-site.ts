import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initSite } from '../src/site-marker.ts';

export const ZURICH = { region: 'zurich', site: 'zrh-1' } as const;

export interface TemporarySite {
  readonly directory: string;
  /** Paths of all files under a directory of the site, relative to the site. */
  files(under?: string): Promise<string[]>;
  remove(): Promise<void>;
}

/** A fresh site on the test machine's disk. */
export async function temporarySite(): Promise<TemporarySite> {
  const parent = await mkdtemp(join(tmpdir(), 'residency-site-'));
  const directory = join(parent, 'sites', ZURICH.site);
  await initSite(directory, ZURICH);
  return {
    directory,
    files: async (under = '.') => {
      const entries = await readdir(join(directory, under), {
        recursive: true,
        withFileTypes: true,
      });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
        .sort();
    },
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}
