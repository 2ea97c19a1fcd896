import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Problem } from '../src/index.ts';
import { CANARY, LIMIT, Shelf } from './shelf.ts';

const QUICK = { headers: 200, request: 600, keepAlive: 200, idle: 5_000, grace: 300 };
const HEAD = 'POST /things HTTP/1.1\r\nHost: localhost\r\n';

describe('a slow client', () => {
  it.for([
    ['its headers', 'POST /things HTTP/1.1\r\n', 'x: y\r\n'],
    ['its body', `${HEAD}Content-Length: 1000\r\n\r\n`, 'x'],
  ] as const)('that drips %s is answered 408 and disconnected', async ([, head, drop]) => {
    const shelf = await new Shelf().start({ timeouts: QUICK });
    const raw = shelf.raw(head);
    const drip = setInterval(() => raw.socket.write(drop), 50);
    await raw.closed;
    clearInterval(drip);
    expect(raw.received).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('that says nothing gives way to others', async () => {
    const shelf = await new Shelf().start({ maxConnections: 8 });
    const silent = Array.from({ length: 20 }, () => shelf.raw(''));
    await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
    expect((await shelf.ask('/who')).status).toBe(200);
  });
});

describe('a body', () => {
  it('that declares much and stalls takes nothing from others', async () => {
    const shelf = await new Shelf().start();
    const stalled = shelf.raw(`${HEAD}Content-Length: ${LIMIT}\r\n\r\nx`);
    await once(stalled.socket, 'connect');
    await expect.poll(() => shelf.post('x'.repeat(50_000)).then(({ status }) => status)).toBe(200);
  });

  it('is refused while others use the budget, and accepted after they disconnect', async () => {
    const shelf = await new Shelf().start();
    const holder = shelf.raw(`${HEAD}Content-Length: ${LIMIT}\r\n\r\n${'x'.repeat(190_000)}`);
    const status = (): Promise<number> =>
      shelf.post('x'.repeat(50_000)).then((answer) => answer.status);
    await expect.poll(status).toBe(503);
    holder.socket.destroy();
    await expect.poll(status).toBe(200);
    // Nothing leaks: more bodies than the budget has room for at one time.
    for (let round = 0; round < 20; round += 1) expect(await status()).toBe(200);
  });

  it('is refused at the first chunk that the service does not accept', async () => {
    const shelf = await new Shelf().start({
      inspect: (chunk) =>
        chunk.includes(CANARY)
          ? new Problem({ kind: 'invalid-request', code: 'NO_CANARIES', detail: 'None.' })
          : undefined,
    });
    const raw = shelf.raw(`${HEAD}Content-Length: ${LIMIT}\r\n\r\nxxx${CANARY}`);
    await expect.poll(() => raw.received).toMatch(/^HTTP\/1\.1 400 [^]*"code":"NO_CANARIES"/);
    expect((await shelf.post('x')).body).toEqual({ length: 1 });
  });

  it('is asked for only if it will be read', async () => {
    const shelf = await new Shelf().start();
    const good = shelf.raw(
      `${HEAD}Connection: close\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n`,
    );
    await expect.poll(() => good.received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    good.socket.write('x');
    await good.closed;
    expect(good.received).toMatch(/HTTP\/1\.1 200 /);
    const large = shelf.raw(`${HEAD}Content-Length: ${LIMIT + 1}\r\nExpect: 100-continue\r\n\r\n`);
    await large.closed;
    expect(large.received).toMatch(/^HTTP\/1\.1 413 /);
  });
});
