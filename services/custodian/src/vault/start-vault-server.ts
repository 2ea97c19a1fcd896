import { Tokens, createServer, serve } from '@residency/http-server';
import type { AllowedMethods, Served, ServerSettings } from '@residency/http-server';
import { OPERATIONS_PATHS, operationsRoutes } from '@residency/operations';
import type { Operations } from '@residency/operations';
import type { VaultFolder } from './vault-folder.ts';
import { VAULT_METHODS, VAULT_PATHS, VAULT_ROUTES, vaultRoutes } from './vault-routes.ts';
import type { VaultRoutesDeps } from './vault-routes.ts';

export interface VaultServerDeps extends ServerSettings, Omit<VaultRoutesDeps, 'tokens'> {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tokens: VaultFolder['tokens'];
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
const METHODS: readonly AllowedMethods[] = [
  ...VAULT_METHODS,
  [/^\/(?:livez|readyz|metrics)?$/, 'GET, HEAD'],
];

/** Each principal's token is for accesses and nothing else. Throws `INVALID_TOKEN`. */
export function vaultTokens(tokens: VaultFolder['tokens']): Tokens<'accesses'> {
  return new Tokens({
    service: 'vault',
    scopes: ['accesses'],
    tokens: tokens.map((token) => ({ ...token, scopes: ['accesses'] as const })),
  });
}

/**
 * Serves accesses, probes and metrics. Throws `INVALID_TOKEN`, `PORT_IN_USE` or `LISTEN_REFUSED`;
 * then nothing listens.
 */
export async function startVaultServer({
  host,
  port,
  tokens,
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
    methods: METHODS,
    guarded: false,
  });
  const { app } = server;
  app.get('/', async () => ({
    name: 'residency custodian',
    paths: { ...VAULT_PATHS, ...OPERATIONS_PATHS },
  }));
  operationsRoutes(app, operations);
  vaultRoutes(app, { vaults, tokens: vaultTokens(tokens), result });
  return await serve(server, { host, port });
}
