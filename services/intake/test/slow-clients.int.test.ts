import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { IntakeWorld, binary, submitted } from './intake-world.ts';

const HEAD =
  'POST /events HTTP/1.1\r\nHost: localhost\r\nce-specversion: 1.0\r\nce-id: a\r\nce-source: s\r\nce-type: threat.sample.submitted.v1\r\n';
const QUICK = { headers: 200, request: 600, keepAlive: 200, idle: 5_000, grace: 300 };
const SMALL = { sampleBytes: 100_000, recordBytes: 200_000, inFlightBytes: 200_000 };

describe('slow clients', () => {
  it('disconnects a client that drips its headers', async () => {
    const world = await new IntakeWorld().start({ timeouts: QUICK });
    const raw = world.raw('POST /events HTTP/1.1\r\n');
    const drip = setInterval(() => raw.socket.write('x: y\r\n'), 50);
    await raw.closed;
    clearInterval(drip);
    expect(raw.received).toMatch(/^HTTP\/1\.1 408 [^]*"code":"REQUEST_TIMEOUT"/);
  });

  it('disconnects a client that sends nothing', async () => {
    const world = await new IntakeWorld().start({ timeouts: QUICK });
    await expect(world.raw('').closed).resolves.toBeUndefined();
  });

  it('disconnects a client that drips its body, and appends nothing of it', async () => {
    const world = await new IntakeWorld().start({ timeouts: QUICK });
    const raw = world.raw(`${HEAD}Content-Length: 1000\r\n\r\n`);
    const drip = setInterval(() => raw.socket.write('x'), 50);
    await raw.closed;
    clearInterval(drip);
    expect(raw.received).toMatch(/^HTTP\/1\.1 408 /);
    expect(world.appended).toEqual([]);
  });

  it('closes a connection that stays idle after its response', async () => {
    const world = await new IntakeWorld().start({ timeouts: QUICK });
    const raw = world.raw('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await raw.closed;
    expect(raw.received).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('serves others while 50 stall, each having declared the largest body', async () => {
    const world = await new IntakeWorld().start();
    const stalled = Array.from({ length: 50 }, () =>
      world.raw(`${HEAD}Content-Length: ${24 * 1024 * 1024}\r\n\r\nsome bytes`),
    );
    await Promise.all(stalled.map(({ socket }) => once(socket, 'connect')));
    await delay(100);
    expect(
      (await world.post(binary(submitted({ data: Buffer.alloc(16 * 1024 * 1024) })))).status,
    ).toBe(202);
    expect(stalled.every(({ received }) => received === '')).toBe(true);
  });

  it('answers probes however many connections stay silent: it closes those that are idle longest', async () => {
    const world = await new IntakeWorld().start({ maxConnections: 8 });
    const silent = Array.from({ length: 20 }, () => world.raw(''));
    await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
    expect((await world.get('/livez')).status).toBe(200);
    await expect
      .poll(() => silent.filter(({ socket }) => socket.destroyed).length)
      .toBeGreaterThanOrEqual(12);
  });

  it('keeps an eighth of the connections for others while bodies never end, and answers one more with 503', async () => {
    const world = await new IntakeWorld().start({ maxConnections: 8 });
    const stalled = Array.from({ length: 7 }, () =>
      world.raw(`${HEAD}Content-Length: 1000\r\n\r\nx`),
    );
    await Promise.all(stalled.map(({ socket }) => once(socket, 'connect')));
    await delay(100);
    const refused = await world.post(binary(submitted()));
    expect([refused.status, refused.body['code'], refused.headers.get('retry-after')]).toEqual([
      503,
      'BUSY',
      '1',
    ]);
    expect((await world.get('/livez')).status).toBe(200);
    expect(stalled.filter(({ socket }) => socket.destroyed)).toEqual([]);
    stalled[0]?.socket.destroy();
    await expect.poll(() => world.post(binary(submitted())).then(({ status }) => status)).toBe(202);
  });

  it('closes a connection that requests more than 16 responses before it reads one', async () => {
    const world = await new IntakeWorld().start();
    const raw = world.raw('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(5_000));
    await raw.closed;
    expect((await world.get('/livez')).status).toBe(200);
  });
});

describe('large bodies', () => {
  it('answers a declared length over the limit before the body is sent', async () => {
    const world = await new IntakeWorld().start({ limits: SMALL });
    const raw = world.raw(`${HEAD}Content-Length: 200001\r\n\r\n`);
    await expect.poll(() => raw.received).toMatch(/^HTTP\/1\.1 413 [^]*"code":"BODY_TOO_LARGE"/);
  });

  it('answers an endless chunked body at the limit, and cuts it off', async () => {
    const world = await new IntakeWorld().start({ limits: SMALL, timeouts: QUICK });
    const raw = world.raw(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `2710\r\n${'x'.repeat(10_000)}\r\n`;
    const send = setInterval(() => raw.socket.write(chunk), 2);
    await raw.closed;
    clearInterval(send);
    expect(raw.received).toMatch(/^HTTP\/1\.1 413 /);
    expect(world.appended).toEqual([]);
  });

  it('refuses a body while others use the budget, and accepts one after they disconnect', async () => {
    const world = await new IntakeWorld().start({ limits: SMALL });
    const holder = world.raw(`${HEAD}Content-Length: 190000\r\n\r\n${'x'.repeat(180_000)}`);
    const small = binary(submitted({ data: Buffer.alloc(50_000) }));
    await expect.poll(() => world.post(small).then(({ status }) => status)).toBe(503);
    const refused = await world.post(small);
    expect([refused.body['code'], refused.headers.get('retry-after')]).toEqual(['BUSY', '1']);
    holder.socket.destroy();
    await expect.poll(() => world.post(small).then(({ status }) => status)).toBe(202);
    // Nothing leaks: many more bodies than the budget has room for at one time.
    for (let round = 0; round < 20; round += 1) expect((await world.post(small)).status).toBe(202);
  });

  it('refuses a chunked body if it exceeds the budget during the transfer', async () => {
    const world = await new IntakeWorld().start({ limits: SMALL });
    world.raw(`${HEAD}Content-Length: 190000\r\n\r\n${'x'.repeat(180_000)}`);
    await expect
      .poll(() =>
        world.post(binary(submitted({ data: Buffer.alloc(50_000) }))).then(({ status }) => status),
      )
      .toBe(503);
    const raw = world.raw(
      `${HEAD}Transfer-Encoding: chunked\r\n\r\nc350\r\n${'x'.repeat(50_000)}\r\n0\r\n\r\n`,
    );
    await expect.poll(() => raw.received).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('accepts a body of one-byte chunks completely', async () => {
    const world = await new IntakeWorld().start();
    const raw = world.raw(`${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`);
    raw.socket.write(`${'1\r\nx\r\n'.repeat(300_000)}0\r\n\r\n`);
    await raw.closed;
    expect(raw.received).toMatch(/^HTTP\/1\.1 202 /);
    expect(world.appended[0]?.[0]?.record.value?.equals(Buffer.alloc(300_000, 'x'))).toBe(true);
  });

  it('answers 100 only to a request that it will read', async () => {
    const world = await new IntakeWorld().start({ limits: SMALL });
    const good = world.raw(
      `${HEAD}Connection: close\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n`,
    );
    await expect.poll(() => good.received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    good.socket.write('x');
    await good.closed;
    expect(good.received).toMatch(/HTTP\/1\.1 202 /);
    const large = world.raw(`${HEAD}Content-Length: 200001\r\nExpect: 100-continue\r\n\r\n`);
    await large.closed;
    expect(large.received).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe('hostile requests', () => {
  it.for([
    ['no HTTP', 'canary\r\n\r\n', 400],
    [
      'a coding before chunked',
      `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
      501,
    ],
    [
      'a coding in a field of its own',
      `${HEAD}Transfer-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
      501,
    ],
    ['a coding after chunked', `${HEAD}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 400],
    [
      'a coding in HTTP/1.0',
      `${HEAD.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
      400,
    ],
    ['an expectation nobody meets', `${HEAD}Expect: 200-canary\r\nContent-Length: 1\r\n\r\nx`, 417],
    [
      'both lengths',
      `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a negative length', `${HEAD}Content-Length: -1\r\n\r\n`, 400],
    ['no Host', 'GET /canary HTTP/1.1\r\n\r\n', 400],
    [
      'headers over 32 KiB',
      `GET / HTTP/1.1\r\nHost: localhost\r\nx: ${'canary'.repeat(6_000)}\r\n\r\n`,
      431,
    ],
    [
      'raw bytes in an attribute',
      `${HEAD}ce-subject: \xff\xfe\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`,
      400,
    ],
    [
      'a broken percent code in an attribute',
      `${HEAD}ce-subject: %zz\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`,
      400,
    ],
    [
      'an attribute named __proto__',
      `${HEAD}ce-__proto__: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`,
      400,
    ],
  ] as const)('answers %s and continues', async ([, bytes, status]) => {
    const world = await new IntakeWorld().start();
    const raw = world.raw('');
    raw.socket.write(bytes, 'latin1');
    await raw.closed;
    expect(raw.received.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(raw.received).not.toContain('canary');
    expect((await world.get('/livez')).status).toBe(200);
    expect(world.appended).toEqual([]);
  });
});
