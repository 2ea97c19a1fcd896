import type { Remedy } from '@residency/coded-error';
import { RedisError } from './redis-error.ts';
import type { RedisErrorCode } from './redis-error.ts';

interface Explanation {
  readonly code: RedisErrorCode;
  readonly remedy: Remedy;
  readonly words: readonly string[];
  readonly message: (word: string) => string;
}

// The first word of Redis's error replies. For an error inside a script it comes later in the text
// (up to Redis 6).
const EXPLANATIONS: readonly Explanation[] = [
  {
    code: 'REDIS_AUTHENTICATION',
    remedy: 'stop',
    words: ['NOAUTH', 'WRONGPASS', 'invalid password', 'AUTH'],
    message: (word) =>
      `Expected Redis to accept the user and password of the settings, found ${word}. Correct them and start again.`,
  },
  {
    code: 'REDIS_FORBIDDEN',
    remedy: 'stop',
    words: ['NOPERM'],
    message: () =>
      'Expected the user to be allowed what this side needs (README: commands and keys), found NOPERM. Extend its ACL and start again.',
  },
  {
    code: 'REDIS_FULL',
    remedy: 'retry',
    words: ['OOM'],
    message: () =>
      'Expected room in Redis, found OOM; nothing was changed. Raise maxmemory (never set an eviction policy).',
  },
  {
    code: 'CONSENT_VIEW_BROKEN',
    remedy: 'retry',
    words: ['WRONGTYPE'],
    message: () =>
      'Expected text under the keys of the view, found another kind (WRONGTYPE). Something else writes under this prefix: stop it, delete the keys of the prefix; the projector then rebuilds the view.',
  },
  {
    code: 'REDIS_NOT_READY',
    remedy: 'retry',
    words: [
      'LOADING',
      'READONLY',
      'MASTERDOWN',
      'CLUSTERDOWN',
      'MOVED',
      'ASK',
      'TRYAGAIN',
      'BUSY',
      'NOREPLICAS',
      'MISCONF',
      'max number of clients',
    ],
    message: (word) =>
      `Expected a Redis that is ready to answer, found ${word}. It is tried again; if this lasts, look at Redis.`,
  },
];

/**
 * Translates a failure of ioredis into an error of this package. The original is never passed on,
 * not even as a cause: it holds the command with its arguments, and those of AUTH include the
 * password.
 */
export function explainRedis(error: unknown): Error {
  if (error instanceof RedisError) return error;
  if (!(error instanceof Error)) return new TypeError('Expected an error of the Redis client.');
  if (error.name === 'ReplyError') return explainReply(error.message);
  return new RedisError({
    code: 'REDIS_UNREACHABLE',
    message: `Expected an answer from Redis, found ${problemOf(error)}. It is tried again; if this lasts, look at Redis and the network.`,
    remedy: 'retry',
  });
}

function explainReply(reply: string): RedisError {
  for (const { code, remedy, words, message } of EXPLANATIONS) {
    const word = words.find((each) => new RegExp(`\\b${each}\\b`).test(reply));
    if (word !== undefined) return new RedisError({ code, message: message(word), remedy });
  }
  const [word = ''] = /^[A-Z]{2,32}\b/.exec(reply) ?? [];
  return new RedisError({
    code: 'REDIS_REFUSED',
    message: `Expected Redis 6.2 or newer to carry out MGET, EVAL and INFO, found ${word || 'an error'} for one of them. Look at its version and renamed commands.`,
    remedy: 'stop',
  });
}

function problemOf(error: Error): string {
  if (
    'code' in error &&
    typeof error.code === 'string' &&
    /^[A-Z][A-Z0-9_]{1,63}$/.test(error.code)
  )
    return error.code;
  if (error.message === 'Command timed out' || error.message.startsWith('Socket timeout'))
    return 'none in time';
  if (error.name === 'ParserError') return 'something that is not Redis';
  return 'the connection closed';
}
