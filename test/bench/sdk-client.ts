import { S3Client } from '@aws-sdk/client-s3';
import type { S3Endpoint } from '../stack/index.ts';

/** A bucket of a site, for a floor that uses the SDK alone. */
export interface Place {
  readonly site: S3Endpoint;
  readonly bucket: string;
}

/** The SDK as floors use it: it adds no checksum that S3 does not ask for. */
export function sdkClient({ site }: Place): S3Client {
  const { endpoint, awsRegion, pathStyle, accessKeyId, secretAccessKey } = site;
  return new S3Client({
    endpoint,
    region: awsRegion,
    forcePathStyle: pathStyle,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}
