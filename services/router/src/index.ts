export { readConfig } from './config.ts';
export type { RouterSettings } from './config.ts';
export { startRouter } from './start-router.ts';
export type { RouterDeps } from './start-router.ts';
