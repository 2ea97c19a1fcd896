import type { S3Sites } from '@residency/adapter-s3';
import { REGION_OF } from '../names.ts';

/** A deployment's settings of all its sites, or of one region's. */
export function siteSettings(only?: string): ConstructorParameters<typeof S3Sites>[0] {
  return Object.entries(REGION_OF)
    .filter(([, region]) => only === undefined || region === only)
    .map(([site, region]) => ({
      site,
      region,
      bucket: site,
      awsRegion: 'sim',
      pathStyle: true,
      checksums: 'WHEN_REQUIRED',
    }));
}
