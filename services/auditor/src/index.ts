// Only main.ts imports `startAuditor`, because it loads the clients of Kafka and S3.
export { inEachCustodyLog } from './in-each-custody-log.ts';
export { keepGrowing } from './keep-growing.ts';
export type { KeepGrowingDeps } from './keep-growing.ts';
export { ledgerRoutes } from './ledger-routes.ts';
