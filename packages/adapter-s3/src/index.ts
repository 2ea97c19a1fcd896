export { S3_ERROR_CODES, S3Error } from './s3-error.ts';
export type { S3ErrorCode } from './s3-error.ts';
export { S3LedgerStore } from './s3-ledger-store.ts';
export type { S3LedgerSettings } from './s3-ledger-store.ts';
export { S3ObjectStore } from './s3-object-store.ts';
export type { S3SiteSettings } from './s3-settings.ts';
export { S3SiteReader } from './s3-site-reader.ts';
export { S3Sites } from './s3-sites.ts';
export { initS3Site, verifyS3Site } from './site-marker.ts';
