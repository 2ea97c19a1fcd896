import { freePorts } from './free-ports.ts';
import { Guarded } from './guarded.ts';
import type { BrokerPorts } from './kafka-properties.ts';
import { kafkaServers } from './kafka-server.ts';
import { redisServer } from './redis-server.ts';
import type { RedisOptions, RedisServer } from './redis-server.ts';
import { s3Server } from './s3-server.ts';
import type { S3Server } from './s3-server.ts';
import type { Server } from './server.ts';
import { TEST_SITES } from './stack.ts';
import type { S3Endpoint, Stack, TestSite } from './stack.ts';

const TRIES = 3;

export interface OwnStackOptions {
  readonly brokers?: 0 | 1 | 3;
  readonly sites?: boolean;
  readonly redis?: boolean | RedisOptions;
  /** server.properties of every broker, over the stack's own. */
  readonly kafkaSettings?: Readonly<Record<string, string>>;
  /**
   * One port a broker: a second listener is advertised there, for a proxy that listens there and
   * connects to `kafka.behindProxies`.
   */
  readonly kafkaProxyPorts?: readonly number[];
  /** For benchmarks and long proofs: slower to start, faster after minutes of load. */
  readonly longRunning?: boolean;
  /** For class-archive.ts. */
  readonly recordClasses?: boolean;
}

/** Servers of one's own. Reading what was not asked for throws. */
export interface OwnStack extends Stack {
  readonly kafka: {
    readonly brokers: readonly string[];
    /** The ports behind `kafkaProxyPorts`, in the same order. */
    readonly behindProxies: readonly number[];
  };
  readonly servers: {
    readonly brokers: readonly Server[];
    readonly sites: Readonly<Record<TestSite, Server>>;
    readonly redis: RedisServer;
  };
  /** Where the servers keep everything. */
  readonly folder: string;
  /** Kills the servers and removes their data. */
  close(): Promise<void>;
}

/** Starts servers on 127.0.0.1 that die with this process. */
export async function openStack(options: OwnStackOptions): Promise<OwnStack> {
  for (let tries = 1; ; tries += 1) {
    const guarded = await Guarded.open();
    try {
      return await openIn(guarded, options);
    } catch (error) {
      await guarded.close();
      // Somebody was quicker on one of the ports.
      if (tries === TRIES || !/in use|failed to bind|Could not bind/i.test(String(error)))
        throw error;
    }
  }
}

async function openIn(guarded: Guarded, options: OwnStackOptions): Promise<OwnStack> {
  const [kafka, sites, redis] = await Promise.all([
    openKafka(guarded, options),
    options.sites === true ? openSites(guarded, options) : undefined,
    openRedis(guarded, options.redis ?? false),
  ]);
  const close = (): Promise<void> => guarded.close();
  return {
    get kafka() {
      return asked(kafka, 'brokers').log;
    },
    get sites() {
      return asked(sites, 'sites').endpoints;
    },
    get redis() {
      return { url: asked(redis, 'redis').url };
    },
    servers: {
      get brokers() {
        return asked(kafka, 'brokers').servers;
      },
      get sites() {
        return asked(sites, 'sites').servers;
      },
      get redis() {
        return asked(redis, 'redis').server;
      },
    },
    folder: guarded.folder,
    close,
  };
}

function asked<T>(what: T | undefined, option: string): T {
  if (what === undefined)
    throw new Error(`Expected a stack opened with ${option}, found one without; add the option.`);
  return what;
}

async function openKafka(
  guarded: Guarded,
  {
    brokers = 0,
    kafkaSettings = {},
    kafkaProxyPorts,
    longRunning = false,
    recordClasses = false,
  }: OwnStackOptions,
): Promise<{ log: OwnStack['kafka']; servers: readonly Server[] } | undefined> {
  if (brokers === 0) return undefined;
  const ports = await freePorts(brokers * 3);
  const plans = Array.from({ length: brokers }, (_, index): BrokerPorts => {
    const [client = 0, controller = 0, listen = 0] = ports.slice(index * 3, index * 3 + 3);
    const advertised = kafkaProxyPorts?.[index];
    return {
      client,
      controller,
      ...(advertised === undefined ? {} : { proxied: { listen, advertised } }),
    };
  });
  const servers = await kafkaServers(guarded, plans, kafkaSettings, {
    longRunning,
    recordClasses,
  });
  await Promise.all(servers.map((server) => server.start()));
  return {
    servers,
    log: {
      brokers: plans.map(({ client }) => `127.0.0.1:${client}`),
      behindProxies: plans.flatMap(({ proxied }) =>
        proxied === undefined ? [] : [proxied.listen],
      ),
    },
  };
}

async function openSites(
  guarded: Guarded,
  { longRunning = false, recordClasses = false }: OwnStackOptions,
): Promise<{ endpoints: Record<TestSite, S3Endpoint>; servers: Record<TestSite, Server> }> {
  const ports = await freePorts(TEST_SITES.length);
  const open = async (site: TestSite, port = 0): Promise<S3Server> => {
    const s3 = await s3Server(guarded, site, port, { longRunning, recordClasses });
    await s3.server.start();
    return s3;
  };
  const [zrh1, zrh2, mow1] = await Promise.all([
    open('zrh-1', ports[0]),
    open('zrh-2', ports[1]),
    open('mow-1', ports[2]),
  ]);
  return {
    endpoints: { 'zrh-1': zrh1.endpoint, 'zrh-2': zrh2.endpoint, 'mow-1': mow1.endpoint },
    servers: { 'zrh-1': zrh1.server, 'zrh-2': zrh2.server, 'mow-1': mow1.server },
  };
}

async function openRedis(
  guarded: Guarded,
  options: boolean | RedisOptions,
): Promise<{ url: string; server: RedisServer } | undefined> {
  if (options === false) return undefined;
  const [port = 0] = await freePorts(1);
  const server = await redisServer(guarded, port, options === true ? {} : options);
  await server.start();
  return { url: `redis://127.0.0.1:${port}`, server };
}
