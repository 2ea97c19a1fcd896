import { ERASURE_PROBE_KEYS, SITE_PROBE, sha256 } from '@residency/contracts';
import type { Pause } from './create-only.ts';
import { probe } from './probe.ts';
import { RightMissing } from './purge-requests.ts';
import type { FoundUpload, FoundVersion, PurgingCalls } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';

/**
 * Carries out every request of an erasure on objects of its own, one below each prefix, and leaves
 * none of them. Throws `SITE_NOT_ERASABLE` (stop) if the store refuses one of these requests to the
 * credentials: the erasure of a sample would wait for ever. Rights that a policy takes away below
 * single keys only are not noticed.
 */
export async function requireErasable(
  calls: PurgingCalls,
  site: string,
  pause: Pause,
): Promise<void> {
  for (const key of ERASURE_PROBE_KEYS)
    try {
      await erase(calls, site, key, pause);
    } catch (error) {
      if (!(error instanceof RightMissing)) throw error;
      throw notErasable(site, key, error.right);
    }
}

/** A start that is refused again and again leaves one version and one upload, not one more each time. */
async function erase(calls: PurgingCalls, site: string, key: string, pause: Pause): Promise<void> {
  for (const { uploadId } of (await calls.uploads(key)).filter(isAt(key)))
    await calls.abortUpload(key, uploadId);
  const object = { key, bytes: SITE_PROBE, sha256: sha256(SITE_PROBE), metadata: {} };
  await probe(calls, site, object, pause);
  for (const { versionId } of (await calls.versions(key)).filter(isAt(key)))
    await calls.deleteVersion(key, versionId);
  const uploadId = await calls.beginUpload(key);
  if (uploadId !== undefined) await calls.abortUpload(key, uploadId);
}

/** A list by prefix has longer keys too. */
function isAt(key: string): (found: FoundUpload | FoundVersion) => boolean {
  return (found) => found.key === key;
}

function notErasable(site: string, key: string, right: string): S3Error {
  return new S3Error({
    code: 'SITE_NOT_ERASABLE',
    message: `Expected the custodian's credentials for site ${site} to be enough to erase a sample, found that the store refuses them ${right} at ${key} (HTTP 403 AccessDenied). Grant it on the bucket and on what is below samples/ and damaged/, take retention and MFA delete off the bucket, and start again.`,
    remedy: 'stop',
  });
}
