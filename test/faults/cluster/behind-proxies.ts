import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../running-deployment/deployment.ts';
import { TEST_SITES } from '../../stack/index.ts';
import type { TestSite } from '../../stack/index.ts';
import { FaultProxy, http, redis } from '../fault-proxy/index.ts';
import type { HttpRequest, RedisRequest } from '../fault-proxy/index.ts';

type SiteProxies = Readonly<Record<TestSite, FaultProxy<HttpRequest>>>;

/**
 * Proxies between one service and a deployment's sites and Redis. Kafka has proxies of its own
 * (`openProxiedKafka`).
 */
export interface BehindProxies {
  readonly sites: SiteProxies;
  readonly redis: FaultProxy<RedisRequest>;
  /** The environment for the service behind the proxies. */
  readonly env: Readonly<Record<string, string>>;
  /** Forwards everything. */
  clear(): void;
  close(): Promise<void>;
}

/** `through`: the sites behind proxies; the others are reached directly. */
export async function behindProxies(
  { folder, stack }: Deployment,
  through: readonly TestSite[] = TEST_SITES,
): Promise<BehindProxies> {
  const portOf = (url: string): number => Number(new URL(url).port);
  const opened = await Promise.all(
    TEST_SITES.map(
      async (site) =>
        [site, await FaultProxy.open(http, portOf(stack.sites[site].endpoint))] as const,
    ),
  );
  const sites = Object.fromEntries(opened) as unknown as SiteProxies;
  const proxy = await FaultProxy.open(redis, portOf(stack.redis.url));
  const proxies = [...Object.values(sites), proxy];
  return {
    sites,
    redis: proxy,
    env: {
      RESIDENCY_REGIONS_FILE: await regionsBehind(folder, sites, through),
      RESIDENCY_REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
    },
    clear: () => {
      for (const each of proxies) each.clear();
    },
    close: async () => {
      await Promise.all(proxies.map((each) => each.close()));
    },
  };
}

async function regionsBehind(
  folder: string,
  proxies: SiteProxies,
  through: readonly TestSite[],
): Promise<string> {
  const { sites } = JSON.parse(await readFile(join(folder, 'regions.json'), 'utf8')) as {
    sites: Record<TestSite, object>;
  };
  const behind = Object.fromEntries(
    through.map((site) => [
      site,
      { ...sites[site], endpoint: `http://127.0.0.1:${proxies[site].port}` },
    ]),
  );
  const file = join(folder, `regions-behind-${proxies['zrh-1'].port}.json`);
  await writeFile(file, JSON.stringify({ sites: { ...sites, ...behind } }));
  return file;
}
