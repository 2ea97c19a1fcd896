import { setTimeout as sleep } from 'node:timers/promises';
import {
  OBJECT_PREFIX,
  SITE_MARKER_KEY,
  SITE_PROBE,
  SITE_PROBE_KEY,
  decodeSiteMarker,
  encodeSiteMarker,
  sha256,
} from '@residency/contracts';
import { requireErasable } from './erasure-probe.ts';
import { ignoresIfMatch, probe } from './probe.ts';
import type { NewObject, PurgingCalls, S3Calls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import type { S3SiteSettings } from './s3-settings.ts';

type Identity = Pick<S3SiteSettings, 'region' | 'site'>;
type Open = (settings: S3SiteSettings) => S3Calls;

/** Markers are some fifty bytes long. */
const MARKER_BYTES = 4_096;

/**
 * The key that the store must refuse to overwrite. Not the marker's: routers need no right to write
 * that.
 */
const PROBE: NewObject = {
  key: SITE_PROBE_KEY,
  bytes: SITE_PROBE,
  sha256: sha256(SITE_PROBE),
  metadata: {},
};

/**
 * Writes the site's marker into its bucket, which must exist. An existing marker is verified
 * instead. For credentials that may list, get and put.
 *
 * Throws `SITE_MARKER_MISMATCH` if the bucket is another site's. Throws `SITE_NOT_EMPTY` if the
 * bucket holds samples but no marker: their owner is unknown. Throws `SITE_NOT_CREATE_ONLY` if the
 * store overwrites in spite of the condition; such a store gets no marker.
 */
export async function initS3Site(settings: S3SiteSettings, open: Open = openBucket): Promise<void> {
  await inBucket(settings, open, async (calls) => {
    const { site } = settings;
    if ((await calls.get(SITE_MARKER_KEY, MARKER_BYTES)) === undefined) {
      await refuseSamples(settings, calls);
      await requireCreateOnly(calls, site);
      await probe(calls, site, markerObject(settings), sleep);
    }
    await lookAtSite(settings, calls);
  });
}

/**
 * Throws `SITE_MARKER_MISSING` or `SITE_MARKER_MISMATCH` if the bucket is not this site's (DESIGN
 * §2.9). For credentials that may get.
 */
export async function verifyS3Site(
  settings: S3SiteSettings,
  open: Open = openBucket,
): Promise<void> {
  await inBucket(settings, open, (calls) => verifyMarker(settings, calls));
}

/**
 * As `verifyS3Site`, and throws `SITE_NOT_CREATE_ONLY` if the store overwrites. For credentials
 * that may get and put; leaves nothing behind.
 */
export async function checkS3Site(
  settings: S3SiteSettings,
  open: Open = openBucket,
): Promise<void> {
  await inBucket(settings, open, (calls) => lookAtSite(settings, calls));
}

/** `checkS3Site` over open connections. */
export async function lookAtSite(identity: Identity, calls: S3Calls): Promise<void> {
  await verifyMarker(identity, calls);
  await requireCreateOnly(calls, identity.site);
}

/**
 * As `lookAtSite`, and throws `SITE_NOT_CONDITIONAL` if the store replaces an object although the
 * condition does not hold, and `SITE_LOCKED` if the bucket keeps versions from being deleted. For
 * credentials that may replace.
 */
export async function lookAtReplacingSite(identity: Identity, calls: PurgingCalls): Promise<void> {
  await verifyMarker(identity, calls);
  await requireUnlocked(calls, identity.site);
  await requireCreateOnly(calls, identity.site);
  if (!(await ignoresIfMatch(calls, identity.site, PROBE, sleep))) return;
  throw new S3Error({
    code: 'SITE_NOT_CONDITIONAL',
    message: `Expected the store of site ${identity.site} to replace an object only if its condition holds (If-Match), found that it overwrote the probe all the same. Use a store with conditional writes, and no gateway before it that drops the header: a custodian could overwrite a sample in this one.`,
    remedy: 'stop',
  });
}

/**
 * `lookAtReplacingSite` over a connection of its own, and throws `SITE_NOT_ERASABLE` if these
 * credentials may not erase. For credentials of a custodian; leaves the probe behind, which every site
 * has.
 */
export async function checkReplacingS3Site(
  settings: S3SiteSettings,
  open: (settings: S3SiteSettings) => PurgingCalls = openBucket,
): Promise<void> {
  const calls = open(settings);
  try {
    await lookAtReplacingSite(settings, calls);
    await requireErasable(calls, settings.site, sleep);
  } finally {
    calls.close();
  }
}

/** `verifyS3Site` over open connections. */
async function verifyMarker({ region, site }: Identity, calls: S3Calls): Promise<void> {
  const object = await calls.get(SITE_MARKER_KEY, MARKER_BYTES);
  if (object === undefined) {
    throw new S3Error({
      code: 'SITE_MARKER_MISSING',
      message: `Expected the marker ${SITE_MARKER_KEY} of site ${site} in region ${region} in its bucket, found none. Correct which bucket belongs to the site; a new site is initialised first.`,
      remedy: 'stop',
    });
  }
  const found = decodeSiteMarker(object.bytes);
  if (found.region !== region || found.site !== site) {
    throw new S3Error({
      code: 'SITE_MARKER_MISMATCH',
      message: `Expected the marker ${SITE_MARKER_KEY} to name site ${site} in region ${region}, found site ${found.site} in region ${found.region}. Correct which bucket belongs to which site; never edit a marker.`,
      remedy: 'stop',
    });
  }
}

function markerObject({ region, site }: Identity): NewObject {
  const bytes = encodeSiteMarker({ region, site });
  return { key: SITE_MARKER_KEY, bytes, sha256: sha256(bytes), metadata: {} };
}

/**
 * The probe has the same bytes in every site, so a store that overwrites it does no harm, and gives
 * itself away.
 */
async function requireCreateOnly(calls: S3Calls, site: string): Promise<void> {
  if (
    (await probe(calls, site, PROBE, sleep)) === 'exists' ||
    (await probe(calls, site, PROBE, sleep)) === 'exists'
  )
    return;
  throw new S3Error({
    code: 'SITE_NOT_CREATE_ONLY',
    message: `Expected the store of site ${site} to refuse a second object under one key (If-None-Match: *), found that it overwrote it. Use a store with create-only writes, and no gateway before it that drops the header: this one would lose samples.`,
    remedy: 'stop',
  });
}

async function requireUnlocked(calls: PurgingCalls, site: string): Promise<void> {
  if (!(await calls.isLocked())) return;
  throw new S3Error({
    code: 'SITE_LOCKED',
    message: `Expected the bucket of site ${site} to let older versions be deleted, found object lock: the bytes of an erased sample would stay. Object lock cannot be turned off, so make a bucket without it, put a new site on that in the place of this one by a policy version, and delete this bucket once its retention ends.`,
    remedy: 'stop',
  });
}

async function refuseSamples({ site }: Identity, calls: S3Calls): Promise<void> {
  const { keys } = await calls.list(OBJECT_PREFIX, { maxKeys: 1 });
  if (keys.length > 0) {
    throw new S3Error({
      code: 'SITE_NOT_EMPTY',
      message: `Expected an empty bucket for the new site ${site}, found samples without a marker. Find out whose they are; restore the marker from a backup or choose another bucket.`,
      remedy: 'stop',
    });
  }
}

function openBucket(settings: S3SiteSettings): S3Bucket {
  return new S3Bucket(settings);
}

async function inBucket(
  settings: S3SiteSettings,
  open: Open,
  work: (calls: S3Calls) => Promise<void>,
): Promise<void> {
  const calls = open(settings);
  try {
    await work(calls);
  } finally {
    calls.close();
  }
}
