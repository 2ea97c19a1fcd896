import { SITE_MARKER_KEY, isSetAsideKey, objectKey, submissionOfKey } from '@residency/contracts';

/**
 * A site's directory (docs/formats/object.md): `samples/` holds only sealed messages, `metadata/`
 * their metadata, `tmp/` unfinished files. Only `initSite` makes the three: if a disk is not mounted
 * they are missing, and nothing may be written to the folder underneath.
 */
export const SITE_DIRECTORIES = ['samples', 'metadata', 'tmp'] as const;

export const TEMPORARY_DIRECTORY = 'tmp';

/** The metadata that is not yet in its final place: one file for each writer. */
export const JOURNAL_DIRECTORY = 'metadata/journals';

/** The directory of an object's file, inside `samples`. */
export function objectDirectory(submission: string): string {
  return `samples/${submission.slice(0, 1)}`;
}

/** The file of an object. Its key is `objectKey`. */
export function objectPath(submission: string): string {
  return `${objectDirectory(submission)}/${submission}`;
}

/** Where an object's file is if version 0.1 wrote it: the path is the key. */
export function earlierObjectPath(submission: string): string {
  return objectKey(submission);
}

/** The directory of an object's metadata, inside `metadata`. */
export function metadataDirectory(submission: string): string {
  return `metadata/${submission.slice(0, 2)}`;
}

/** The file of the metadata of all objects whose submission id has the same first three digits. */
export function metadataPath(submission: string): string {
  return `${metadataDirectory(submission)}/${submission.slice(0, 3)}`;
}

/** The file of an object's metadata if version 0.1 wrote it, or a person who repaired the site. */
export function earlierMetadataPath(submission: string): string {
  return `${metadataDirectory(submission)}/${submission}`;
}

/** The metadata of bytes that a custodian set aside. Their own file's path is their key. */
export function setAsideMetadataPath(key: string): string {
  return `${key}${SET_ASIDE_METADATA}`;
}

const SET_ASIDE_METADATA = '.json';

const OBJECT = /^samples\/[0-9a-f]\/([0-9a-f]{64})$/;

/** The key of the object whose file has this path; `undefined`: an object's file never has. */
export function keyOfPath(path: string): string | undefined {
  if (submissionOfKey(path) !== undefined) return path;
  const submission = OBJECT.exec(path)?.[1];
  return submission !== undefined && objectPath(submission) === path
    ? objectKey(submission)
    : undefined;
}

const METADATA = /^metadata\/([0-9a-f]{2})\/(\1[0-9a-f](?:[0-9a-f]{61})?)$/;
const JOURNAL = /^metadata\/journals\/[0-9a-f-]{36}$/;
const TEMPORARY = /^tmp\/[0-9a-f-]{36}$/;

/** The submissions whose metadata a file may hold: all that begin with `prefix`. */
export interface MetadataScope {
  readonly prefix: string;
}

/** The scope of a metadata file of this name; `undefined`: none has this name. */
export function metadataScopeOf(path: string): MetadataScope | undefined {
  if (JOURNAL.test(path)) return { prefix: '' };
  const prefix = METADATA.exec(path)?.[2];
  return prefix === undefined ? undefined : { prefix };
}

/**
 * The kind of entry that a file of this name may be in a site, besides an object; `undefined`:
 * none.
 */
export function housekeepingOf(
  path: string,
): 'marker' | 'temporary' | 'metadata' | 'set-aside' | undefined {
  if (path === SITE_MARKER_KEY) return 'marker';
  if (path.endsWith(SET_ASIDE_METADATA) && keyOfSetAside(path) !== undefined) return 'set-aside';
  if (TEMPORARY.test(path)) return 'temporary';
  return metadataScopeOf(path) === undefined ? undefined : 'metadata';
}

/** The key of what was set aside, from the path of its file or of its metadata's; else `undefined`. */
export function keyOfSetAside(path: string): string | undefined {
  const key = path.endsWith(SET_ASIDE_METADATA) ? path.slice(0, -SET_ASIDE_METADATA.length) : path;
  return isSetAsideKey(key) ? key : undefined;
}
