export { readConfig } from './config.ts';
export type { ReconcilerSettings } from './config.ts';
export { startReconciler } from './start-reconciler.ts';
export type { ReconcilerDeps } from './start-reconciler.ts';
