import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { assert, integer, oneof, property, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLoopback } from '../src/index.ts';
import { Shelf } from './shelf.ts';

const TOKENS = [{ token: 'reader-token-0123456789-abcdefghij', scopes: ['read'] }] as const;
const HEAD = 'POST /things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n';

describe('listening', () => {
  it.for(['0.0.0.0', '::', '192.0.2.1', 'example.org', '', '127.1'])(
    'is refused on %j without tokens',
    async (host) => {
      await expect(new Shelf().start({ host })).rejects.toMatchObject({
        code: 'TOKENS_REQUIRED',
        remedy: 'stop',
      });
    },
  );

  it.for(['127.0.0.1', 'LOCALHOST'])('is allowed on %s without tokens', async (host) => {
    const shelf = await new Shelf().start({ host });
    expect((await shelf.ask('/who')).status).toBe(200);
  });

  it('is allowed on every address with tokens', async () => {
    const shelf = await new Shelf().start({ host: '0.0.0.0', tokens: TOKENS });
    expect((await fetch(`http://127.0.0.1:${shelf.port}/who`)).status).toBe(401);
  });

  it('reports a port in use, and an address of another machine', async () => {
    const { port } = await new Shelf().start();
    await expect(new Shelf().start({ port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await expect(new Shelf().start({ host: '192.0.2.1', tokens: TOKENS })).rejects.toMatchObject({
      code: 'LISTEN_REFUSED',
    });
  });

  it('counts the addresses of 127.0.0.0/8 as loopback, in their usual spelling alone', () => {
    const byte = oneof(integer({ min: 0, max: 300 }).map(String), string({ maxLength: 3 }));
    const address = tuple(oneof(byte, string()), byte, byte, byte).map((parts) => parts.join('.'));
    const near = tuple(byte, byte, byte).map((parts) => `127.${parts.join('.')}`);
    assert(
      property(oneof(address, near), (host) => {
        expect(isLoopback(host)).toBe(isIPv4(host) && host.startsWith('127.'));
      }),
    );
  });
});

describe('closing', () => {
  it('finishes the request in progress, refuses those behind it and frees the port', async () => {
    const shelf = new Shelf();
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let taken = 0;
    shelf.before = () => {
      taken += 1;
      begun.resolve();
      return go.promise;
    };
    await shelf.start();
    const silent = shelf.raw('');
    await once(silent.socket, 'connect');
    const raw = shelf.raw(`${HEAD}x`);
    await begun.promise;
    const { port } = shelf;
    const closed = shelf.served.close();
    await silent.closed;
    raw.socket.write(`${HEAD}x`);
    // Time for the second request to be read while the first is in hand.
    await delay(100);
    go.resolve();
    await Promise.all([raw.closed, closed, shelf.served.close()]);
    expect(raw.received).toMatch(/^HTTP\/1\.1 200 [^]*"length":1/);
    expect(taken).toBe(1);
    await expect(new Shelf().start({ port })).resolves.toBeInstanceOf(Shelf);
  });

  it('cuts off a stuck request after the grace period', async () => {
    const shelf = await new Shelf().start({ timeouts: { grace: 200 } });
    const stuck = shelf.raw(HEAD);
    await once(stuck.socket, 'connect');
    await shelf.ask('/who');
    await shelf.served.close();
    await stuck.closed;
    expect(stuck.received).toBe('');
  });
});
