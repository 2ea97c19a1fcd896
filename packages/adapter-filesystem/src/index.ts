export { FILESYSTEM_ERROR_CODES, FilesystemError } from './filesystem-error.ts';
export type { FilesystemErrorCode } from './filesystem-error.ts';
export { FilesystemObjectStore } from './filesystem-object-store.ts';
export { FilesystemSiteReader } from './filesystem-site-reader.ts';
export { KeyDirectory } from './key-directory.ts';
export type { KeyEntry, KeyPair, PrivateKey, PublicKey } from './key-directory.ts';
export { initSite, verifySite } from './site-marker.ts';
export type { SiteIdentity } from './site-marker.ts';
export { sweepTemporaries } from './sweep-temporaries.ts';
