export { FIRST_POLICY, lockRouting, openDataDirectory, prepareRegions } from './data-directory.ts';
export type { DataDirectory } from './data-directory.ts';
export { openRouter } from './routing.ts';
export type { EmbeddedRouter, RoutingOptions } from './routing.ts';
export { STANDALONE_ERROR_CODES, StandaloneError } from './standalone-error.ts';
export type { StandaloneErrorCode } from './standalone-error.ts';
export { startStandalone } from './standalone.ts';
export type { RoutedExample, Standalone, StandaloneOptions } from './standalone.ts';
