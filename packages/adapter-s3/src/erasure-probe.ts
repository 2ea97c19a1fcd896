import { ERASURE_PROBE_KEYS, SITE_PROBE, sha256 } from '@residency/contracts';
import type { Pause } from './create-only.ts';
import { probe } from './probe.ts';
import { RightMissing } from './purge-requests.ts';
import type { FoundUpload, FoundVersion, PurgingCalls } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';
import { RequestRefused } from './site-failure.ts';

/**
 * Carries out every request of an erasure on objects of its own, one below each prefix, and leaves
 * none of them. Throws `SITE_NOT_ERASABLE` (stop) if the store refuses one of these requests: the
 * erasure of a sample would wait for ever. Any other failure is thrown with its code and remedy, and
 * names the request too. Rights that a policy takes away below single keys only are not noticed.
 */
export async function requireErasable(
  calls: PurgingCalls,
  site: string,
  pause: Pause,
): Promise<void> {
  for (const key of ERASURE_PROBE_KEYS) await erase(calls, site, key, pause);
}

/** A start that is refused again and again leaves one version and one upload, not one more each time. */
async function erase(calls: PurgingCalls, site: string, key: string, pause: Pause): Promise<void> {
  const tried = async <T>(right: string, request: Promise<T>): Promise<T> => {
    try {
      return await request;
    } catch (error) {
      throw error instanceof S3Error ? judged(error, { site, key, right }) : error;
    }
  };
  const abort = (at: string, uploadId: string): Promise<void> =>
    tried('s3:AbortMultipartUpload', calls.abortUpload(at, uploadId));
  const uploads = await tried('s3:ListBucketMultipartUploads', calls.uploads(key));
  for (const { key: at, uploadId } of uploads.filter(isAt(key))) await abort(at, uploadId);
  const object = { key, bytes: SITE_PROBE, sha256: sha256(SITE_PROBE), metadata: {} };
  await tried('s3:PutObject', probe(calls, site, object, pause));
  await tried('s3:ListBucket', calls.list(key, { maxKeys: 1 }));
  await tried('s3:GetObject', calls.get(key, SITE_PROBE.length));
  const versions = await tried('s3:ListBucketVersions', calls.versions(key));
  for (const { key: at, versionId } of versions.filter(isAt(key))) {
    const right = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
    await tried(right, calls.deleteVersion(at, versionId));
  }
  const uploadId = await tried('s3:PutObject', calls.beginUpload(key));
  if (uploadId !== undefined) await abort(key, uploadId);
}

/**
 * Longer keys too: a store that was killed while it wrote the probe may show it at one. Nobody else
 * writes there.
 */
function isAt(key: string): (found: FoundUpload | FoundVersion) => boolean {
  return (found) => found.key.startsWith(key);
}

interface Tried {
  readonly site: string;
  readonly key: string;
  /** What the request needs, as AWS calls it. */
  readonly right: string;
}

function judged(error: S3Error, { site, key, right }: Tried): S3Error {
  if (error instanceof RightMissing)
    return notErasable({ site, key, right: error.right }, 'HTTP 403 AccessDenied');
  if (error instanceof RequestRefused) return notErasable({ site, key, right }, error.found);
  return new S3Error({
    code: error.code,
    message: `Erasing was tried out at ${key} (${right}). ${error.message}`,
    remedy: error.remedy,
    cause: error,
  });
}

function notErasable({ site, key, right }: Tried, found: string): S3Error {
  return new S3Error({
    code: 'SITE_NOT_ERASABLE',
    message: `Expected the custodian's credentials for site ${site} to be enough to erase a sample, found that the store refuses them ${right} at ${key} (${found}). Grant it on the bucket and on what is below samples/ and damaged/, take retention and MFA delete off the bucket, and start again. If it is granted, the store's own log says why it refuses.`,
    remedy: 'stop',
  });
}
