/** The one place that knows where a sample's bytes land (DESIGN §4 "Object"). */
export function objectKey(submission: string): string {
  return `samples/${submission.slice(0, 2)}/${submission.slice(2, 4)}/${submission}`;
}

/** All sample objects' keys begin so. */
export const OBJECT_PREFIX = 'samples/';

/** The marker object that names a site's region and site (DESIGN §2.9). */
export const SITE_MARKER_KEY = 'residency-site.json';

const OBJECT_KEY = /^samples\/([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]{64})$/;

/** The inverse of `objectKey`; `undefined` for any other key. */
export function submissionOfKey(key: string): string | undefined {
  const submission = OBJECT_KEY.exec(key)?.[3];
  return submission !== undefined && objectKey(submission) === key ? submission : undefined;
}
