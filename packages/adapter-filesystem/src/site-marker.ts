import { randomUUID } from 'node:crypto';
import { mkdir, opendir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SITE_MARKER_KEY } from '@residency/contracts';
import { DIRECTORY_MODE, createWhole, makeDirectory, syncDirectory } from './durable-files.ts';
import { FilesystemError, errnoOf, inSite } from './filesystem-error.ts';
import { SITE_DIRECTORIES, TEMPORARY_DIRECTORY } from './site-layout.ts';

/** What a site's marker says about it. */
export interface SiteIdentity {
  readonly region: string;
  readonly site: string;
}

/**
 * Makes a site's directory with its marker; of one that stands already, only what is missing. Throws `SITE_MARKER_MISMATCH` where
 * the directory is another site's, `SITE_NOT_EMPTY` where samples without a marker are there: nobody knows whose they are.
 */
export async function initSite(directory: string, identity: SiteIdentity): Promise<void> {
  await inSite(identity.site, async () => {
    const root = resolve(directory);
    if (await readMarker(root) === undefined) await makeSite(root, identity);
    await verifySite(root, identity);
    // A copy of a site may have lost its empty directories.
    await makeLayout(root);
  });
}

/** Throws `SITE_MARKER_MISSING` or `SITE_MARKER_MISMATCH` where the directory is not this site's (DESIGN §2.9). */
export async function verifySite(directory: string, { region, site }: SiteIdentity): Promise<void> {
  const found = await inSite(site, () => readMarker(directory));
  if (found === undefined) {
    throw new FilesystemError({ code: 'SITE_MARKER_MISSING', message: `Expected the marker ${SITE_MARKER_KEY} of site ${site} in region ${region}, found none. Mount the site's disk or correct its directory; a new site is initialised first.`, remedy: 'stop' });
  }
  if (found.region !== region || found.site !== site) {
    throw new FilesystemError({ code: 'SITE_MARKER_MISMATCH', message: `Expected the marker ${SITE_MARKER_KEY} to name site ${site} in region ${region}, found site ${found.site} in region ${found.region}. Correct which directory belongs to which site; never edit a marker.`, remedy: 'stop' });
  }
}

async function makeSite(root: string, { region, site }: SiteIdentity): Promise<void> {
  const firstMade = await mkdir(root, { recursive: true, mode: DIRECTORY_MODE });
  await makeLayout(root);
  if (!await isEmpty(join(root, 'samples'))) {
    throw new FilesystemError({ code: 'SITE_NOT_EMPTY', message: `Expected an empty directory for the new site ${site}, found samples without a marker. Find out whose they are; restore the marker from a backup or choose another directory.`, remedy: 'stop' });
  }
  const marker = Buffer.from(`${JSON.stringify({ region, site })}\n`, 'utf8');
  await createWhole(join(root, SITE_MARKER_KEY), marker, join(root, TEMPORARY_DIRECTORY, randomUUID()));
  await syncDirectory(root);
  if (firstMade !== undefined) await syncParents(root, firstMade);
}

/** Each directory from `first` down to `last` was made just now and is a name in its parent. */
async function syncParents(last: string, first: string): Promise<void> {
  for (let made = last; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
}

async function makeLayout(root: string): Promise<void> {
  for (const directory of SITE_DIRECTORIES) await makeDirectory(join(root, directory));
  await syncDirectory(root);
}

async function readMarker(root: string): Promise<SiteIdentity | undefined> {
  let text: string;
  try {
    text = await readFile(join(root, SITE_MARKER_KEY), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return parseMarker(text);
}

function parseMarker(text: string): SiteIdentity {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'region' in value && 'site' in value) return { region: name(value.region), site: name(value.site) };
  } catch {
    // Not a marker: named as such below.
  }
  return { region: UNREADABLE, site: UNREADABLE };
}

const UNREADABLE = '(unreadable)';

/** Whoever wrote the disk controls the text: only well-formed names are repeated in a message. */
function name(value: unknown): string {
  return typeof value === 'string' && /^[a-z0-9][a-z0-9.-]{0,63}$/.test(value) ? value : UNREADABLE;
}

async function isEmpty(directory: string): Promise<boolean> {
  for await (const _ of await opendir(directory)) return false;
  return true;
}
