import { describe, expect, it } from 'vitest';
import { redisAddress } from '../src/redis-settings.ts';

const rest = { keyPrefix: 'residency', log: 'log-1' };

describe('redisAddress', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, db: 0 }],
    ['redis://10.0.0.7:6380/3', { host: '10.0.0.7', port: 6380, db: 3 }],
    ['redis://[::1]:6380/', { host: '::1', port: 6380, db: 0 }],
    [
      'redis://router:a%40b@localhost',
      { host: 'localhost', port: 6379, db: 0, username: 'router', password: 'a@b' },
    ],
    ['redis://:secret@localhost', { host: 'localhost', port: 6379, db: 0, password: 'secret' }],
    ['rediss://localhost', { host: 'localhost', port: 6379, db: 0, tls: {} }],
  ])('reads %s', (url, expected) => {
    expect(redisAddress({ url, ...rest })).toEqual({
      username: undefined,
      password: undefined,
      tls: undefined,
      timeouts: { connectMs: 5_000, commandMs: 5_000 },
      ...expected,
    });
  });

  it('takes user, password and TLS of the settings before those of the URL', () => {
    expect(
      redisAddress({
        url: 'redis://a:b@localhost',
        username: 'c',
        password: 'd',
        tls: { ca: 'pem' },
        ...rest,
      }),
    ).toMatchObject({ username: 'c', password: 'd', tls: { ca: 'pem' } });
  });

  it.each([
    '',
    'localhost:6379',
    'http://u:CANARY@localhost',
    'redis://',
    'redis:///CANARY',
    'redis://CANARY@localhost/a',
    'redis://u:%CANARY@localhost',
  ])('refuses %s without repeating it', (url) => {
    let thrown: unknown;
    try {
      redisAddress({ url, ...rest });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'REDIS_SETTINGS', remedy: 'stop' });
    expect(String(thrown)).not.toContain('CANARY');
  });
});
