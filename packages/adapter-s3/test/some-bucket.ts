import { createBucket, sharedSites, signedRequest } from '../../../test/stack/index.ts';
import type { S3Endpoint, SignedResponse, TestSite } from '../../../test/stack/index.ts';
import { initS3Site } from '../src/site-marker.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';

/** A bucket on a real S3 server, which nobody else has. */
export interface SomeBucket {
  readonly settings: S3SiteSettings;
  /** Past the adapter and its SDK. */
  request(
    method: string,
    key: string,
    options?: { readonly body?: Uint8Array | string; readonly headers?: Record<string, string> },
  ): Promise<SignedResponse>;
  /** The bytes under a key; `undefined` where there is none. */
  read(key: string): Promise<Buffer | undefined>;
}

const REGIONS = { 'zrh-1': 'zurich', 'zrh-2': 'zurich', 'mow-1': 'moscow' } as const;

/** An empty bucket, without a marker. */
export async function emptyBucket(site: TestSite = 'zrh-1'): Promise<SomeBucket> {
  const endpoint = (await sharedSites())[site];
  return bucketAt(site, endpoint, await createBucket(endpoint));
}

/** A bucket that is initialised as a site. */
export async function siteBucket(site: TestSite = 'zrh-1'): Promise<SomeBucket> {
  const bucket = await emptyBucket(site);
  await initS3Site(bucket.settings);
  return bucket;
}

function bucketAt(site: TestSite, endpoint: S3Endpoint, bucket: string): SomeBucket {
  const { accessKeyId, secretAccessKey } = endpoint;
  const request: SomeBucket['request'] = (method, key, options = {}) =>
    signedRequest({ method, path: `/${bucket}/${key}`, ...endpoint, ...options });
  return {
    settings: {
      site,
      region: REGIONS[site],
      bucket,
      endpoint: endpoint.endpoint,
      awsRegion: endpoint.awsRegion,
      pathStyle: endpoint.pathStyle,
      checksums: 'WHEN_REQUIRED',
      credentials: { accessKeyId, secretAccessKey },
    },
    request,
    read: async (key) => {
      const { status, body } = await request('GET', key);
      return status === 200 ? body : undefined;
    },
  };
}
