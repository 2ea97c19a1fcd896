import * as adapter from '@residency/adapter-s3';
import { expect, test } from 'vitest';

test('exports exactly what its README promises', () => {
  expect(Object.keys(adapter).sort()).toEqual([
    'S3Error',
    'S3LedgerStore',
    'S3ObjectStore',
    'S3SiteReader',
    'S3Sites',
    'S3_ERROR_CODES',
    'initS3Site',
    'verifyS3Site',
  ]);
});
