import { RedisError } from './redis-error.ts';

export interface RedisSettings {
  /**
   * `redis://host:port` or `rediss://host:port` (TLS), with `/db` unless it is 0. The URL may hold
   * user and password; the settings below override them.
   */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM texts. Present, even empty: TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /**
   * The prefix of every key, in braces. It is the hash tag that keeps all keys of a view on one
   * node of a cluster.
   */
  readonly keyPrefix: string;
  /** The consent log's name: a view of another log is refused. */
  readonly log: string;
  readonly timeouts?: RedisTimeouts;
}

export interface RedisTimeouts {
  readonly connectMs: number;
  /** The time from a command to its reply. After it the connection is closed and reopened. */
  readonly commandMs: number;
}

const TIMEOUTS: RedisTimeouts = { connectMs: 5_000, commandMs: 5_000 };

/** Checked settings for a connection, independent of the client library. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  readonly timeouts: RedisTimeouts;
}

/**
 * Throws `REDIS_SETTINGS`. The error never repeats a value, because any of them may hold a
 * password.
 */
export function redisAddress({
  url,
  username,
  password,
  tls,
  timeouts = TIMEOUTS,
}: RedisSettings): RedisAddress {
  const parsed = URL.parse(url);
  if (
    parsed === null ||
    !/^rediss?:$/.test(parsed.protocol) ||
    parsed.hostname === '' ||
    !/^(?:\/\d{0,3})?$/.test(parsed.pathname)
  ) {
    throw invalid(
      'url: expected redis://host:port or rediss://host:port, with /db where it is not 0',
    );
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    db: Number(parsed.pathname.slice(1)),
    username: username ?? part(parsed.username),
    password: password ?? part(parsed.password),
    tls: tls ?? (parsed.protocol === 'rediss:' ? {} : undefined),
    timeouts,
  };
}

function part(encoded: string): string | undefined {
  if (encoded === '') return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw invalid('url: user and password must be percent-encoded');
  }
}

export function invalid(what: string): RedisError {
  return new RedisError({
    code: 'REDIS_SETTINGS',
    message: `Expected the settings of Redis; ${what}. Correct them and start again.`,
    remedy: 'stop',
  });
}
