// Only main.ts imports `startCustodian`, because it loads the clients of Kafka and S3.
export { keepCustody } from './keep-custody.ts';
export type { KeepCustodyDeps } from './keep-custody.ts';
export type { KeptRegister } from './register-keeping.ts';
export { leadCustody } from './lead-custody.ts';
export type { LeadCustodyDeps } from './lead-custody.ts';
export { CUSTODIAN_ERROR_CODES, CustodianError } from './custodian-error.ts';
export type { CustodianErrorCode } from './custodian-error.ts';
export { ActiveDesks } from './vault/active-desks.ts';
export { openVault } from './vault/open-vault.ts';
export type { OpenVaultDeps } from './vault/open-vault.ts';
export { hasVaultFolder, readVaultFolder } from './vault/vault-folder.ts';
export type { PrincipalToken, VaultFolder } from './vault/vault-folder.ts';
export { askersOf, startVaultServer } from './vault/start-vault-server.ts';
export { VAULT_ROUTES, vaultRoutes } from './vault/vault-routes.ts';
