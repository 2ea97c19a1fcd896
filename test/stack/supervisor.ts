import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OPEN_SHARED } from './shared-servers.ts';
import type { SharedKind, SharedServers } from './shared-servers.ts';

/** Starts each kind of server once, when first asked over HTTP, and stops them all. */
export interface Supervisor {
  readonly url: string;
  close(): Promise<void>;
}

export async function startSupervisor(): Promise<Supervisor> {
  const opened = new Map<SharedKind, Promise<SharedServers>>();
  const open = (kind: SharedKind): Promise<SharedServers> => {
    const servers = opened.get(kind) ?? OPEN_SHARED[kind]();
    opened.set(kind, servers);
    return servers;
  };
  const server = createServer((request, response) => {
    open((request.url ?? '').slice(1) as SharedKind).then(
      ({ endpoints }) => response.end(JSON.stringify(endpoints)),
      (error: unknown) =>
        response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // It must not keep a run alive that has ended otherwise.
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      for (const servers of await Promise.allSettled(opened.values())) {
        if (servers.status === 'fulfilled') await servers.value.close();
      }
    },
  };
}
