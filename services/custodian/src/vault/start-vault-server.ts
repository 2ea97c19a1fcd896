import { defined } from '@residency/defined';
import { Tokens, createServer, serve } from '@residency/http-server';
import type { Served, ServerSettings } from '@residency/http-server';
import { OPERATIONS_PATHS, operationsRoutes } from '@residency/operations';
import type { Operations } from '@residency/operations';
import { Askers } from './askers.ts';
import type { VaultFolder } from './vault-folder.ts';
import { VAULT_PATHS, VAULT_ROUTES, vaultRoutes } from './vault-routes.ts';
import type { VaultRoutesDeps } from './vault-routes.ts';

export interface VaultServerDeps extends ServerSettings, Omit<VaultRoutesDeps, 'askers'> {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly folder: Pick<VaultFolder, 'oidc' | 'tokens'>;
  readonly operations: Operations;
}

/** The patterns of all routes of a custodian that gives out samples. */
export const VAULT_SERVER_ROUTES: readonly string[] = [
  '/',
  ...VAULT_ROUTES,
  '/livez',
  '/readyz',
  '/metrics',
];

/** Throws `INVALID_TOKEN`. */
export function askersOf({ tokens, oidc }: Pick<VaultFolder, 'oidc' | 'tokens'>): Askers {
  return new Askers({
    tokens: new Tokens({
      service: 'vault',
      scopes: ['accesses'],
      tokens: tokens.map((token) => ({ ...token, scopes: ['accesses'] as const })),
    }),
    ...defined({ oidc }),
  });
}

/**
 * Serves accesses, probes and metrics. Throws `INVALID_TOKEN`, `PORT_IN_USE` or `LISTEN_REFUSED`;
 * then nothing listens.
 */
export async function startVaultServer({
  host,
  port,
  folder,
  operations,
  vaults,
  result,
  ...settings
}: VaultServerDeps): Promise<Served> {
  const server = createServer({
    ...settings,
    service: {
      name: 'vault',
      dependency: 'log',
      headersAdvice: 'Send fewer header fields.',
    },
    guarded: false,
  });
  const { app } = server;
  app.get('/', async () => ({
    name: 'residency custodian',
    paths: { ...VAULT_PATHS, ...OPERATIONS_PATHS },
  }));
  operationsRoutes(app, operations);
  vaultRoutes(server, { vaults, askers: askersOf(folder), result });
  return await serve(server, { host, port });
}
