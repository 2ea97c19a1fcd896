import type { S3SiteSettings } from '@residency/adapter-s3';
import type { S3Endpoint } from '../../stack/index.ts';

export const [SITE, REGION] = ['zrh-1', 'zurich'];

export function settingsOf(endpoint: S3Endpoint, bucket: string): S3SiteSettings {
  const { accessKeyId, secretAccessKey, ...rest } = endpoint;
  return {
    site: SITE,
    region: REGION,
    bucket,
    endpoint: rest.endpoint,
    awsRegion: rest.awsRegion,
    pathStyle: rest.pathStyle,
    checksums: 'WHEN_REQUIRED',
    credentials: { accessKeyId, secretAccessKey },
  };
}
