import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { explainRedis } from '../src/explain-redis.ts';

/** As ioredis makes them: with the command and its arguments. */
function failed(message: string, name = 'ReplyError', more: object = {}): Error {
  return Object.assign(new Error(message), {
    name,
    command: { name: 'auth', args: ['user', 'CANARY'] },
    ...more,
  });
}

describe('explainRedis', () => {
  it.each([
    [
      'WRONGPASS invalid username-password pair or user is disabled.',
      'REDIS_AUTHENTICATION',
      'stop',
    ],
    ['NOAUTH Authentication required.', 'REDIS_AUTHENTICATION', 'stop'],
    ['ERR invalid password', 'REDIS_AUTHENTICATION', 'stop'],
    [
      "NOPERM this user has no permissions to run the 'eval' command or its subcommand",
      'REDIS_FORBIDDEN',
      'stop',
    ],
    ['LOADING Redis is loading the dataset in memory', 'REDIS_NOT_READY', 'retry'],
    ["READONLY You can't write against a read only replica.", 'REDIS_NOT_READY', 'retry'],
    [
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      'REDIS_NOT_READY',
      'retry',
    ],
    ['MOVED 3999 127.0.0.1:6381', 'REDIS_NOT_READY', 'retry'],
    ['ASK 3999 127.0.0.1:6381', 'REDIS_NOT_READY', 'retry'],
    ['CLUSTERDOWN The cluster is down', 'REDIS_NOT_READY', 'retry'],
    ['BUSY Redis is busy running a script.', 'REDIS_NOT_READY', 'retry'],
    ['NOREPLICAS Not enough good replicas to write.', 'REDIS_NOT_READY', 'retry'],
    ['MISCONF Redis is configured to save RDB snapshots', 'REDIS_NOT_READY', 'retry'],
    ['ERR max number of clients reached', 'REDIS_NOT_READY', 'retry'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'REDIS_FULL', 'retry'],
    [
      "ERR Error running script (call to f_0123): @user_script:8: @user_script: 8: -OOM command not allowed when used memory > 'maxmemory'.",
      'REDIS_FULL',
      'retry',
    ],
    [
      "ERR Error running script (call to f_0123): @user_script:8: @user_script: 8: -READONLY You can't write against a read only replica.",
      'REDIS_NOT_READY',
      'retry',
    ],
    [
      'WRONGTYPE Operation against a key holding the wrong kind of value',
      'CONSENT_VIEW_BROKEN',
      'retry',
    ],
    ['ERR unknown command `EVAL`, with args beginning with: `CANARY`', 'REDIS_REFUSED', 'stop'],
  ])('explains "%s"', (reply, code, remedy) => {
    expect(explainRedis(failed(reply))).toMatchObject({ code, remedy });
  });

  it.each([
    [
      'connect ECONNREFUSED 127.0.0.1:1',
      'Error',
      { code: 'ECONNREFUSED', syscall: 'connect' },
      'ECONNREFUSED',
    ],
    ['Command timed out', 'Error', {}, 'none in time'],
    ['Connection is closed.', 'Error', {}, 'the connection closed'],
    ['Protocol error, got "H" as reply type byte', 'ParserError', {}, 'not Redis'],
    [
      'self-signed certificate',
      'Error',
      { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ],
  ])('reports Redis as unreachable for "%s"', (message, name, more, found) => {
    const error = explainRedis(failed(message, name, more));
    expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE', remedy: 'retry' });
    expect(error.message).toContain(found);
  });

  it('passes on nothing of the command, not even as a cause', () => {
    for (const error of [
      failed('WRONGPASS CANARY'),
      failed('ERR CANARY'),
      failed('CANARY', 'Error'),
      failed('CANARY x', 'AbortError', { code: 'canary CANARY' }),
    ]) {
      expect(inspect(explainRedis(error), { depth: Infinity, showHidden: true })).not.toContain(
        'CANARY',
      );
    }
  });
});
