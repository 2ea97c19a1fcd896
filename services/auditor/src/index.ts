// `startAuditor` is main.ts's alone: Kafka's and S3's clients come with it.
export { keepGrowing } from './keep-growing.ts';
export type { GrowingTerms } from './keep-growing.ts';
export { ledgerRoutes } from './ledger-routes.ts';
