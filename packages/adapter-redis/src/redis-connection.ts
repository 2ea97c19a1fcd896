import { Redis } from 'ioredis';
import { explainRedis } from './explain-redis.ts';
import type { RedisClient } from './redis-client.ts';
import { RedisError } from './redis-error.ts';
import { redisAddress } from './redis-settings.ts';
import type { RedisAddress, RedisSettings } from './redis-settings.ts';

/**
 * One connection. It is opened at the first command, and reopened automatically after a loss.
 * Without a connection a command fails at once: no command is queued, and no failed command is
 * repeated without its caller.
 */
export class RedisConnection implements RedisClient {
  readonly #client: Redis;
  #lastError: unknown;
  #settling: Promise<void> | undefined;
  #closed = false;

  /**
   * Throws `REDIS_SETTINGS`. Does not connect yet. `connected` is called for each connection,
   * because it may lead to another server.
   */
  constructor(settings: RedisSettings, connected: () => void = () => undefined) {
    this.#client = new Redis(clientOptions(redisAddress(settings)));
    // Lost connections and refused passwords arrive here. The next command rejects with them.
    this.#client.on('error', (error) => {
      this.#lastError = error;
    });
    this.#client.on('ready', () => {
      this.#lastError = undefined;
      connected();
    });
  }

  async mget(keys: readonly string[]): Promise<(string | null)[]> {
    return await this.#run(async () => await this.#client.mget([...keys]));
  }

  async eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return await this.#run(
      async () => await this.#client.eval(script, keys.length, ...keys, ...args),
    );
  }

  async info(section: string): Promise<string> {
    return await this.#run(async () => await this.#client.info(section));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const { status } = this.#client;
    const ended = Promise.withResolvers<void>();
    this.#client.once('end', () => {
      ended.resolve();
    });
    this.#client.disconnect();
    // Between two attempts there is no connection to close.
    if (status === 'ready' || status === 'connect' || status === 'connecting') await ended.promise;
  }

  async #run<T>(command: () => Promise<T>): Promise<T> {
    try {
      await this.#ready();
      return await command();
    } catch (error) {
      throw explainRedis(error);
    }
  }

  async #ready(): Promise<void> {
    if (this.#closed)
      throw new RedisError({
        code: 'REDIS_CLOSED',
        message:
          'Expected the connection to Redis to be in use, found it closed by its owner. This is a defect.',
        remedy: 'stop',
      });
    if (this.#client.status === 'ready') return;
    this.#settling ??= this.#attempt().finally(() => {
      this.#settling = undefined;
    });
    await this.#settling;
  }

  /** Waits for an attempt in progress. Between two attempts it fails at once. */
  async #attempt(): Promise<void> {
    const { status } = this.#client;
    try {
      if (status === 'wait' || status === 'end') await this.#client.connect();
      else if (status === 'connecting' || status === 'connect') await this.#settled();
      else throw new Error('not connected');
    } catch (error) {
      throw this.#lastError ?? error;
    }
  }

  async #settled(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const closed = () => {
      reject(new Error('not connected'));
    };
    this.#client.once('ready', resolve).once('close', closed);
    try {
      await promise;
    } finally {
      this.#client.off('ready', resolve).off('close', closed);
    }
  }
}

const LONGEST_PAUSE_MS = 2_000;

function clientOptions({
  host,
  port,
  db,
  username,
  password,
  tls,
  timeouts: { connectMs, commandMs },
}: RedisAddress) {
  return {
    host,
    port,
    db,
    username,
    password,
    tls,
    lazyConnect: true,
    // RESP2: the replies needed here are the same, and Redis 6 to 8 and compatible servers all
    // support it.
    protocol: 2 as const,
    disableClientInfo: true,
    // The check needs INFO and would wait until Redis has loaded. LOADING, the reply to any command
    // meanwhile, gives the same information.
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectMs,
    commandTimeout: commandMs,
    // A connection that is silent while a reply is due is dead, even if TCP keeps it open.
    socketTimeout: commandMs,
    retryStrategy: (attempt: number) =>
      Math.min(LONGEST_PAUSE_MS, 50 * 2 ** Math.min(attempt, 10)) * (1 - Math.random() / 2),
    // After a failover the host name resolves to another server; the old connection would answer
    // READONLY for ever.
    reconnectOnError: (error: Error) => /\bREADONLY\b/.test(error.message),
  };
}
