/** The key of a sample's object (docs/formats/object.md). Only this file knows its form. */
export function objectKey(submission: string): string {
  return `samples/${submission.slice(0, 2)}/${submission.slice(2, 4)}/${submission}`;
}

/** The prefix of all sample objects' keys. */
export const OBJECT_PREFIX = 'samples/';

/** The marker object that names a site's region and site (DESIGN §2.9). */
export const SITE_MARKER_KEY = 'residency-site.json';

/**
 * The object with which an object store's conditional writes are tested. It is permanent, and the
 * same in every site.
 */
export const SITE_PROBE_KEY = 'residency-site.probe';
export const SITE_PROBE: Uint8Array = Buffer.from('{"probe":"create-only"}\n');

/**
 * Where a custodian tries out whether it may erase, with the bytes of `SITE_PROBE`: below each prefix
 * that it erases in, because rights may differ by prefix. They are deleted again.
 */
export const ERASURE_PROBE_KEYS = [
  `samples/${SITE_PROBE_KEY}`,
  `damaged/${SITE_PROBE_KEY}`,
] as const;

const OBJECT_KEY = /^samples\/([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]{64})$/;

/** The inverse of `objectKey`; `undefined` for any other key. */
export function submissionOfKey(key: string): string | undefined {
  const submission = OBJECT_KEY.exec(key)?.[3];
  return submission !== undefined && objectKey(submission) === key ? submission : undefined;
}

/** The prefix of all set-aside objects' keys. */
export const SET_ASIDE_PREFIX = 'damaged/';

/**
 * Where a custodian keeps bytes that had a sample's key and are not the sample's: named by what they
 * are, so that keeping the same bytes twice is keeping them once.
 */
export function setAsideKey(submission: string, bytesSha256: string): string {
  return `${SET_ASIDE_PREFIX}${submission}/${bytesSha256}`;
}

const SET_ASIDE_KEY = /^damaged\/([0-9a-f]{64})\/[0-9a-f]{64}$/;

/** The submission of a key of `setAsideKey`; `undefined` for any other key. */
export function submissionOfSetAsideKey(key: string): string | undefined {
  return SET_ASIDE_KEY.exec(key)?.[1];
}

/** True for the keys of `setAsideKey`. */
export function isSetAsideKey(key: string): boolean {
  return submissionOfSetAsideKey(key) !== undefined;
}
