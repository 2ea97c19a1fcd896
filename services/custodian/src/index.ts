// Only main.ts imports `startCustodian`, because it loads the clients of Kafka and S3.
export { keepCustody } from './keep-custody.ts';
export type { KeepCustodyDeps } from './keep-custody.ts';
export type { KeptRegister } from './register-keeping.ts';
export { leadCustody } from './lead-custody.ts';
export type { LeadCustodyDeps } from './lead-custody.ts';
