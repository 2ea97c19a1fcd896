import {
  OBJECT_PREFIX,
  SITE_MARKER_KEY,
  decodeSiteMarker,
  encodeSiteMarker,
  sha256,
} from '@residency/contracts';
import { createOnly } from './create-only.ts';
import type { NewObject, S3Calls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import type { S3SiteSettings } from './s3-settings.ts';

type Identity = Pick<S3SiteSettings, 'region' | 'site'>;
type Open = (settings: S3SiteSettings) => S3Calls;

/** Markers are some fifty bytes long. */
const MARKER_BYTES = 4_096;

/**
 * Puts the site's marker into its bucket, which must exist; one that stands already is verified. Throws `SITE_MARKER_MISMATCH` where the bucket is
 * another site's, `SITE_NOT_EMPTY` where samples without a marker are there (nobody knows whose they are), and
 * `SITE_NOT_CREATE_ONLY` where the store overwrites although it is told not to. For credentials that may list, get and put.
 */
export async function initS3Site(settings: S3SiteSettings, open: Open = openBucket): Promise<void> {
  await inBucket(settings, open, async (calls) => {
    const marker = markerObject(settings);
    if ((await calls.get(SITE_MARKER_KEY, MARKER_BYTES)) === undefined) {
      await refuseSamples(settings, calls);
      await createOnly(calls, settings.site, marker);
    }
    await verifyMarker(settings, calls);
    // By now it stands there with just these bytes, so a store that overwrites does no harm, and gives itself away.
    if ((await createOnly(calls, settings.site, marker)).created) {
      throw new S3Error({
        code: 'SITE_NOT_CREATE_ONLY',
        message: `Expected the store of site ${settings.site} to refuse a second object under one key (If-None-Match: *), found that it overwrote it. Use a store with create-only writes: this one would lose samples.`,
        remedy: 'stop',
      });
    }
  });
}

/** Throws `SITE_MARKER_MISSING` or `SITE_MARKER_MISMATCH` where the bucket is not this site's (DESIGN §2.9). */
export async function verifyS3Site(
  settings: S3SiteSettings,
  open: Open = openBucket,
): Promise<void> {
  await inBucket(settings, open, (calls) => verifyMarker(settings, calls));
}

/** `verifyS3Site` over connections that stand. */
export async function verifyMarker({ region, site }: Identity, calls: S3Calls): Promise<void> {
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

function openBucket(settings: S3SiteSettings): S3Calls {
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
