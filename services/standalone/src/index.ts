export {
  FIRST_POLICY,
  isDataDirectory,
  lockRouting,
  openDataDirectory,
  prepareRegions,
} from './data-directory.ts';
export type { DataDirectory } from './data-directory.ts';
export { bringLedgerUpToDate, openEmbeddedLedger } from './embedded-ledger.ts';
export type { EmbeddedLedger } from './embedded-ledger.ts';
export { EmbeddedSites } from './embedded-sites.ts';
export type { WrapStore } from './embedded-sites.ts';
export { ledgerSigner } from './ledger-key.ts';
export { openRouter } from './routing.ts';
export type { EmbeddedRouter, RoutingOptions } from './routing.ts';
export { STANDALONE_ERROR_CODES, StandaloneError } from './standalone-error.ts';
export type { StandaloneErrorCode } from './standalone-error.ts';
export { startStandalone } from './standalone.ts';
export type { RoutedExample, Standalone, StandaloneOptions } from './standalone.ts';
