export { lockRouting, openDataDirectory } from './data-directory.ts';
export { isDataDirectory } from './data-directory-marker.ts';
export { FIRST_POLICY, FIRST_POLICY_SHA256 } from './first-policy.ts';
export { prepareRegions } from './prepare-regions.ts';
export { defaultCheckpoints } from './checkpoints-place.ts';
export type { DataDirectory, OpenOptions } from './data-directory.ts';
export {
  bringLedgersUpToDate,
  checkEmbeddedLedgers,
  ledgeredLogs,
  embeddedStores,
  makeLedgerPlaces,
  openEmbeddedLedger,
} from './embedded-ledger.ts';
export type { EmbeddedLedger } from './embedded-ledger.ts';
export { EmbeddedControlView } from './embedded-control-view.ts';
export { payOnce } from './embedded-custody.ts';
export type { PaidDebts } from './embedded-custody.ts';
export { EmbeddedSites } from './embedded-sites.ts';
export type { WrapStore } from './embedded-sites.ts';
export {
  LEDGER_PREFIX,
  ledgerKeyFile,
  ledgerKeyLost,
  ledgerKeys,
  newSecret,
} from './ledger-key.ts';
export type { EmbeddedKeys, LedgerKeyFile } from './ledger-key.ts';
export { intakeExtent, observeIntake } from './observe-intake.ts';
export { openRouter } from './routing.ts';
export type { EmbeddedRouter, RouterOptions, RunOptions } from './routing.ts';
export { STANDALONE_ERROR_CODES, StandaloneError } from './standalone-error.ts';
export type { StandaloneErrorCode } from './standalone-error.ts';
export { startStandalone } from './standalone.ts';
export type { RoutedExample, Standalone, StandaloneOptions } from './standalone.ts';
export { Withdrawals } from './withdrawals.ts';
