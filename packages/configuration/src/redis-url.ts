import { z } from 'zod';

export interface RedisAddress {
  /** Without user and password. */
  readonly url: string;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

export const redisUrl = {
  expected: 'redis://host:port or rediss://host:port, with /N for database N',
  schema: z
    .string()
    .transform(
      (text, context): RedisAddress =>
        parse(text) ?? (context.addIssue('not a Redis address'), z.NEVER),
    ),
};

function parse(text: string): RedisAddress | undefined {
  const url = URL.parse(text);
  if (
    url === null ||
    !/^rediss?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^(?:|\/\d{0,5})$/.test(url.pathname) ||
    url.search !== '' ||
    url.hash !== ''
  )
    return undefined;
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === undefined || password === undefined) return undefined;
  const address = `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
  return {
    url: address,
    tls: url.protocol === 'rediss:',
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
