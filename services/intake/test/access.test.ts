import { sha256 } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import type { IntakeToken } from '../src/index.ts';
import { IntakeWorld, batch, binary, granted, linked, submitted } from './intake-world.ts';

const SENDER = 'sender-token-0123456789-abcdefghij';
const KEEPER = 'keeper-token-0123456789-abcdefghij';
const BOTH = 'both-token-0123456789-abcdefghijkl';
const TOKENS: readonly IntakeToken[] = [
  { token: SENDER, scopes: ['submissions'] },
  { sha256: sha256(Buffer.from(KEEPER)), scopes: ['consents'] },
  { token: BOTH, scopes: ['submissions', 'consents'] },
];
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const SUBMISSION = `/submissions/${'ab'.repeat(32)}`;

describe('starting', () => {
  it.for(['0.0.0.0', '::', '192.0.2.1', 'example.org', '', '127.1'])(
    'refuses to listen on %j without tokens',
    async (host) => {
      await expect(new IntakeWorld().start({ host })).rejects.toMatchObject({
        code: 'TOKENS_REQUIRED',
        remedy: 'stop',
      });
    },
  );

  it.for(['127.0.0.1', 'localhost', 'LOCALHOST'])('listens on %s without tokens', async (host) => {
    const world = await new IntakeWorld().start({ host });
    expect((await world.get('/livez')).status).toBe(200);
  });

  it('listens on every address with tokens', async () => {
    const world = await new IntakeWorld().start({ host: '0.0.0.0', tokens: TOKENS });
    expect((await fetch(`http://127.0.0.1:${world.port}/livez`)).status).toBe(200);
  });

  it.for([
    [{ token: 'short', scopes: ['submissions'] }],
    [{ token: '', scopes: ['submissions'] }],
    [{ sha256: SENDER, scopes: ['submissions'] }],
    [{ token: SENDER, scopes: [] }],
  ] satisfies IntakeToken[][])('refuses the token %j and does not repeat it', async ([token]) => {
    const error: unknown = await new IntakeWorld()
      .start({ tokens: token === undefined ? [] : [token] })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'INVALID_TOKEN',
      remedy: 'stop',
      message: expect.not.stringContaining(SENDER),
    });
  });

  it('reports that a port is in use', async () => {
    const world = await new IntakeWorld().start();
    await expect(new IntakeWorld().start({ port: world.port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      remedy: 'stop',
      message: expect.stringContaining(String(world.port)),
    });
  });

  it('reports that an address does not belong to this machine', async () => {
    await expect(
      new IntakeWorld().start({ host: '192.0.2.1', tokens: TOKENS }),
    ).rejects.toMatchObject({ code: 'LISTEN_REFUSED' });
  });
});

describe('with tokens', () => {
  it.for([
    ['none', {}, 'TOKEN_MISSING'],
    ['another scheme', { authorization: `Basic ${SENDER}` }, 'TOKEN_MISSING'],
    ['an unknown one', bearer(`${SENDER}x`), 'TOKEN_UNKNOWN'],
    ['the digest of one', bearer(sha256(Buffer.from(KEEPER))), 'TOKEN_UNKNOWN'],
  ] as const)('answers 401 for %s', async ([, headers, code]) => {
    const world = await new IntakeWorld().start({ tokens: TOKENS });
    for (const answer of [
      await world.post(binary(submitted()), headers),
      await world.get(SUBMISSION, headers),
      await world.get('/consents/consent-0001', headers),
    ]) {
      expect([answer.status, answer.body['code'], answer.headers.get('www-authenticate')]).toEqual([
        401,
        code,
        expect.stringMatching(/^Bearer/),
      ]);
      expect(answer.text).not.toContain(SENDER);
    }
    expect(world.appended).toEqual([]);
  });

  it.for([
    ['a consent with the submissions scope', SENDER, granted()],
    ['a subject link with the submissions scope', SENDER, linked()],
    ['a submission with the consents scope', KEEPER, submitted()],
  ] as const)('answers 403 for %s', async ([, token, event]) => {
    const world = await new IntakeWorld().start({ tokens: TOKENS });
    const answer = await world.post(batch([event]), bearer(token));
    expect([answer.status, answer.body['code'], answer.body['index'], world.appended]).toEqual([
      403,
      'SCOPE_MISSING',
      0,
      [],
    ]);
  });

  it('lets each scope use its own routes', async () => {
    const world = await new IntakeWorld().start({ tokens: TOKENS });
    expect((await world.post(binary(submitted()), bearer(SENDER))).status).toBe(202);
    expect((await world.post(binary(granted()), bearer(KEEPER))).status).toBe(202);
    expect((await world.post(batch([granted(), linked(), submitted()]), bearer(BOTH))).status).toBe(
      202,
    );
    expect((await world.get(SUBMISSION, bearer(SENDER))).status).toBe(404);
    expect((await world.get(SUBMISSION, bearer(KEEPER))).status).toBe(403);
    expect((await world.get('/consents/consent-0001', bearer(KEEPER))).status).toBe(200);
    expect((await world.get('/consents/consent-0001', bearer(SENDER))).status).toBe(403);
  });

  it('leaves probes and metrics open', async () => {
    const world = await new IntakeWorld().start({ tokens: TOKENS });
    for (const path of ['/livez', '/readyz', '/metrics'])
      expect((await world.get(path)).status).toBe(200);
  });

  it('refuses a stranger before reading the body', async () => {
    const world = await new IntakeWorld().start({ tokens: TOKENS });
    const raw = world.raw(
      'POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n',
    );
    await raw.closed;
    expect(raw.received).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('on loopback without tokens', () => {
  it.for([
    ['Host: rebound.example:8080', 403],
    ['Host: 127.0.0.1.example', 403],
    ['Host: localhost@example.org', 403],
    ['Host: ', 403],
    ['Host: localhost\r\nOrigin: https://example.org', 403],
    ['Host: localhost\r\nOrigin: null', 403],
    ['Host: localhost:8080\r\nOrigin: http://localhost:3000', 403],
    ['Host: localhost:8080\r\nOrigin: http://localhost:8080', 200],
    ['Host: [::1]:8080', 200],
    ['Host: 127.0.0.1', 200],
  ] as const)('answers a request with %j with %i', async ([headers, status]) => {
    const world = await new IntakeWorld().start();
    const raw = world.raw(`GET /livez HTTP/1.1\r\nConnection: close\r\n${headers}\r\n\r\n`);
    await raw.closed;
    expect(raw.received.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
  });
});
