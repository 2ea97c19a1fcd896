import { randomUUID } from 'node:crypto';
import { mkdir, opendir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SITE_MARKER_KEY, decodeSiteMarker, encodeSiteMarker } from '@residency/contracts';
import type { SiteIdentity } from '@residency/contracts';
import { DIRECTORY_MODE, createWhole, makeDirectory, syncDirectory } from './durable-files.ts';
import { FilesystemError, errnoOf, inSite } from './filesystem-error.ts';
import { SITE_DIRECTORIES, TEMPORARY_DIRECTORY } from './site-layout.ts';

/**
 * Creates a site's directory with its marker, or its missing parts. Throws `SITE_MARKER_MISMATCH`
 * if the directory is another site's. Throws `SITE_NOT_EMPTY` if it holds samples but no marker:
 * their owner is unknown.
 */
export async function initSite(directory: string, identity: SiteIdentity): Promise<void> {
  await inSite(identity.site, async () => {
    const root = resolve(directory);
    if ((await readMarker(root)) === undefined) await makeSite(root, identity);
    await verifySite(root, identity);
    // A copy of a site may have lost its empty directories.
    await makeLayout(root);
  });
}

/**
 * Throws `SITE_MARKER_MISSING` or `SITE_MARKER_MISMATCH` if the directory is not this site's
 * (DESIGN §2.9).
 */
export async function verifySite(directory: string, { region, site }: SiteIdentity): Promise<void> {
  const found = await inSite(site, () => readMarker(directory));
  if (found === undefined) {
    throw new FilesystemError({
      code: 'SITE_MARKER_MISSING',
      message: `Expected the marker ${SITE_MARKER_KEY} of site ${site} in region ${region}, found none. Mount the site's disk or correct its directory; a new site is initialised first.`,
      remedy: 'stop',
    });
  }
  if (found.region !== region || found.site !== site) {
    throw new FilesystemError({
      code: 'SITE_MARKER_MISMATCH',
      message: `Expected the marker ${SITE_MARKER_KEY} to name site ${site} in region ${region}, found site ${found.site} in region ${found.region}. Correct which directory belongs to which site; never edit a marker.`,
      remedy: 'stop',
    });
  }
}

async function makeSite(root: string, identity: SiteIdentity): Promise<void> {
  const firstMade = await mkdir(root, { recursive: true, mode: DIRECTORY_MODE });
  await makeLayout(root);
  if (!(await isEmpty(join(root, 'samples')))) {
    throw new FilesystemError({
      code: 'SITE_NOT_EMPTY',
      message: `Expected an empty directory for the new site ${identity.site}, found samples without a marker. Find out whose they are; restore the marker from a backup or choose another directory.`,
      remedy: 'stop',
    });
  }
  await createWhole(
    join(root, SITE_MARKER_KEY),
    encodeSiteMarker(identity),
    join(root, TEMPORARY_DIRECTORY, randomUUID()),
  );
  await syncDirectory(root);
  if (firstMade !== undefined) await syncParents(root, firstMade);
}

/** Each directory from `first` down to `last` is new, so its entry in its parent must be synced. */
async function syncParents(last: string, first: string): Promise<void> {
  for (let made = last; made.length >= first.length; made = dirname(made))
    await syncDirectory(dirname(made));
}

async function makeLayout(root: string): Promise<void> {
  for (const directory of SITE_DIRECTORIES) await makeDirectory(join(root, directory));
  await syncDirectory(root);
}

async function readMarker(root: string): Promise<SiteIdentity | undefined> {
  try {
    return decodeSiteMarker(await readFile(join(root, SITE_MARKER_KEY)));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export async function isEmpty(directory: string): Promise<boolean> {
  for await (const _ of await opendir(directory)) return false;
  return true;
}
