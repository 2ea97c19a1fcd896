import { RedisError } from './redis-error.ts';

export interface RedisSettings {
  /** `redis://host:port` or `rediss://host:port` (TLS), with `/db` where it is not 0. User and password may stand in it; those below replace them. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM texts. Present, even empty: TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Begins every key, in braces: the hash tag that keeps all of a view on one node of a cluster. */
  readonly keyPrefix: string;
  /** The consent log's name: a view of another log is refused. */
  readonly log: string;
  readonly timeouts?: RedisTimeouts;
}

export interface RedisTimeouts {
  readonly connectMs: number;
  /** From a command to its answer; the connection is then dropped and made anew. */
  readonly commandMs: number;
}

const TIMEOUTS: RedisTimeouts = { connectMs: 5_000, commandMs: 5_000 };

/** Where Redis is and who asks: settings that were checked, in no vendor's words. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  readonly timeouts: RedisTimeouts;
}

/** Throws `REDIS_SETTINGS`, which never repeats a value: a password may stand in any of them. */
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
