import { SITE_MARKER_KEY } from '@residency/contracts';

/**
 * A site's directory (docs/formats): `samples/` holds only sealed messages, `metadata/` their
 * metadata, `tmp/` unfinished files. Only `initSite` makes the three: if a disk is not mounted they
 * are missing, and nothing may be written to the folder underneath.
 */
export const SITE_DIRECTORIES = ['samples', 'metadata', 'tmp'] as const;

export const TEMPORARY_DIRECTORY = 'tmp';

/** The directories that lead to an object's key, outermost first, without `samples` itself. */
export function objectDirectories(submission: string): readonly [string, string] {
  const outer = `samples/${submission.slice(0, 2)}`;
  return [outer, `${outer}/${submission.slice(2, 4)}`];
}

export function metadataDirectory(submission: string): string {
  return `metadata/${submission.slice(0, 2)}`;
}

export function metadataPath(submission: string): string {
  return `${metadataDirectory(submission)}/${submission}`;
}

const METADATA = /^metadata\/[0-9a-f]{2}\/([0-9a-f]{64})$/;
const TEMPORARY = /^tmp\/[0-9a-f-]{36}$/;

/**
 * The kind of entry that a file of this name may be in a site, besides an object; `undefined`:
 * none.
 */
export function housekeepingOf(path: string): 'marker' | 'temporary' | 'metadata' | undefined {
  if (path === SITE_MARKER_KEY) return 'marker';
  if (TEMPORARY.test(path)) return 'temporary';
  const submission = METADATA.exec(path)?.[1];
  return submission !== undefined && metadataPath(submission) === path ? 'metadata' : undefined;
}
