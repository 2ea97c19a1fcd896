import { setAsideKey, sha256, submissionOfSetAsideKey } from '@residency/contracts';
import type { Tombstone } from '@residency/contracts';
import type { Purged } from '@residency/custodianship';
import { allKeys } from './all-keys.ts';
import type { Pause } from './create-only.ts';
import { decided } from './probe.ts';
import type { NewObject, PurgingCalls } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';
import { failure } from './site-failure.ts';

/** How often an object is read again because another came in its place. */
const RACES = 5;

export interface PurgeOptions {
  readonly site: string;
  readonly tombstone: Tombstone;
  readonly submission: string;
  /** SHA-256 of bytes that nobody may set aside any more. */
  readonly digests: readonly string[];
  readonly pause: Pause;
}

/**
 * As `CustodianSite.purge`. The newest version of a key is never deleted, except that of a remainder:
 * a key that begins with the sample's, or with that of a set-aside object, and goes on. A store that
 * was killed while it wrote may show such an object, whole (S3Proxy over folders does). No part of the
 * product writes there, so it counts as an unfinished upload.
 */
export async function purge(calls: PurgingCalls, options: PurgeOptions): Promise<Purged> {
  const { tombstone, submission, digests } = options;
  const purged = { versions: 0, setAside: 0, uploads: 0 };
  const prefixes = [tombstone.key, setAsideKey(submission, '')];
  // All set-aside keys are equally long: a submission has as many digits as a digest.
  const { length } = setAsideKey(submission, submission);
  const isOfSample = (key: string): boolean => submissionOfSetAsideKey(key) === submission;
  const isMeant = ({ key }: { readonly key: string }): boolean =>
    key.startsWith(tombstone.key) || isOfSample(key.slice(0, length));
  const isRemainder = (key: string): boolean => key !== tombstone.key && !isOfSample(key);
  // First, because completing one puts its bytes in the place of a tombstone.
  for (const prefix of prefixes)
    for (const { key, uploadId } of (await calls.uploads(prefix)).filter(isMeant)) {
      await calls.abortUpload(key, uploadId);
      purged.uploads += 1;
    }
  const keys = new Set((await allKeys(calls, setAsideKey(submission, ''))).filter(isOfSample));
  for (const digest of digests) keys.add(setAsideKey(submission, digest));
  for (const key of keys) if (await putTombstone(calls, key, options)) purged.setAside += 1;
  for (const prefix of prefixes)
    for (const { key, versionId, isNewest } of (await calls.versions(prefix)).filter(isMeant)) {
      if (isNewest && !isRemainder(key)) continue;
      await calls.deleteVersion(key, versionId);
      if (isNewest) purged.uploads += 1;
      else purged.versions += 1;
    }
  return purged;
}

/** `true`: another object had the key. */
async function putTombstone(
  calls: PurgingCalls,
  key: string,
  { site, tombstone: { bytes }, pause }: PurgeOptions,
): Promise<boolean> {
  const object: NewObject = { key, bytes, sha256: sha256(bytes), metadata: {} };
  let isReplaced = false;
  for (let race = 0; race < RACES; race += 1) {
    const found = await calls.get(key, bytes.length);
    if (found !== undefined) {
      if (found.bytes.equals(bytes) && Object.keys(found.metadata).length === 0) return isReplaced;
      // Without it the condition of the replacement would be that nothing is there.
      if (found.etag === undefined) throw failure(site, 'SITE_FAILED', `${key} without an ETag`);
      isReplaced = true;
    }
    const { put } = await decided(site, key, pause, () => calls.replace(object, found?.etag));
    if (put === 'replaced') return isReplaced;
  }
  throw new S3Error({
    code: 'SITE_CONTENDED',
    message: `Expected site ${site} to put a tombstone in the place of ${key}, found other bytes there after each of ${RACES} attempts. See whether something else writes in its bucket; the erasure is tried again.`,
    remedy: 'retry',
  });
}
