import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { createMetrics } from '@residency/telemetry';
import type { AccessResult } from '@residency/telemetry';
import {
  VAULT_NOW,
  VAULT_SAMPLE,
  VAULT_SUBMISSION,
  VaultWorld,
  accessIdAt,
} from '@residency/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startVaultServer } from '../src/vault/start-vault-server.ts';
import type { Served } from '@residency/http-server';

const TOKENS = { ana: 'a'.repeat(32), bob: 'b'.repeat(32), eve: 'e'.repeat(32) };

let world: VaultWorld;
let server: Served;
const results: AccessResult[] = [];
let nth = 0;

beforeAll(async () => {
  world = await VaultWorld.open();
  server = await startVaultServer({
    host: '127.0.0.1',
    port: 0,
    operations: {
      live: () => true,
      ready: () => ({ ready: true, checks: [] }),
      metrics: async () =>
        await createMetrics({ service: 'custodian', version: 'test', now: Date.now }).render(),
    },
    folder: {
      tokens: Object.entries(TOKENS).map(([principal, token]) => ({
        principal,
        sha256: createHash('sha256').update(token).digest('hex'),
      })),
    },
    vaults: new Map([['zurich', await world.vault()]]),
    result: (_, result) => {
      results.push(result);
    },
  });
});

afterAll(async () => {
  await server.close();
});

function newAccess(): string {
  nth += 1;
  return accessIdAt(VAULT_NOW, nth);
}

async function ask(
  method: string,
  path: string,
  { body, who = 'ana' }: { body?: unknown; who?: keyof typeof TOKENS } = {},
) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKENS[who]}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
}

const order = (more: object = {}) => ({
  submission: VAULT_SUBMISSION,
  purpose: 'analysis',
  reference: 'ticket 1',
  form: 'raw',
  ...more,
});

test('PUT records, GET says what became of it, and the sample is an attachment that no browser runs', async () => {
  const access = newAccess();
  const put = await ask('PUT', `/v1/accesses/${access}`, { body: order() });
  expect([put.status, JSON.parse(put.text)]).toEqual([
    201,
    { access, state: 'accessed', until: '2026-01-01T00:10:00.000Z', missingApprovals: 0 },
  ]);
  expect((await ask('PUT', `/v1/accesses/${access}`, { body: order() })).text).toBe(put.text);
  expect((await ask('GET', `/v1/accesses/${access}`)).text).toBe(put.text);
  const sample = await ask('GET', `/v1/accesses/${access}/sample`);
  expect([sample.status, sample.bytes]).toEqual([200, VAULT_SAMPLE]);
  expect(Object.fromEntries(sample.headers)).toMatchObject({
    'cache-control': 'no-store',
    'content-disposition': expect.stringMatching(/^attachment; filename="?[\w.-]+"?$/),
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
  });
  expect(world.types.filter((type) => type === 'sample.accessed')).toHaveLength(1);
  expect(results).toEqual(expect.arrayContaining(['recorded', 'released']));
});

test('a request that needs approvals is 202, and 409 until others have approved', async () => {
  const access = newAccess();
  const asked = { body: order({ purpose: 'research', form: 'cart' }) };
  expect((await ask('PUT', `/v1/accesses/${access}`, asked)).status).toBe(202);
  expect((await ask('GET', `/v1/accesses/${access}/sample`)).status).toBe(409);
  for (const [who, status] of [
    ['ana', 403],
    ['bob', 200],
    ['eve', 200],
  ] as const)
    expect((await ask('POST', `/v1/accesses/${access}/approvals`, { who })).status).toBe(status);
  expect((await ask('GET', `/v1/accesses/${access}/sample`)).status).toBe(200);
  expect((await ask('GET', `/v1/accesses/${access}`, { who: 'bob' })).status).toBe(404);
});

test.each([
  [
    'an id of version 4',
    'PUT',
    '/v1/accesses/8f14e45f-ceea-467f-9a6b-0242ac120002',
    order(),
    400,
    'ACCESS_INVALID',
  ],
  [
    'an id in upper case',
    'GET',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 0xabc).toUpperCase()}`,
    undefined,
    400,
    'ACCESS_INVALID',
  ],
  [
    'an id that nobody asked with',
    'GET',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_999)}/sample`,
    undefined,
    404,
    'ACCESS_UNKNOWN',
  ],
  [
    'another region',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_998)}`,
    order({ region: 'moscow' }),
    404,
    'REGION_UNKNOWN',
  ],
  ['no JSON', 'PUT', `/v1/accesses/${accessIdAt(VAULT_NOW, 9_997)}`, '{', 400, 'ACCESS_INVALID'],
  [
    'a name twice',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_997)}`,
    '{"purpose":"analysis","purpose":"nobody"}',
    400,
    'ACCESS_INVALID',
  ],
  [
    'another member',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_996)}`,
    order({ all: true }),
    400,
    'ACCESS_INVALID',
  ],
  [
    'a form that is none',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_995)}`,
    order({ form: 'exe' }),
    400,
    'ACCESS_INVALID',
  ],
  [
    'a reference that is too long',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_994)}`,
    order({ reference: 'x'.repeat(10_000) }),
    400,
    'ACCESS_INVALID',
  ],
  [
    'a reference with control characters',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_993)}`,
    order({ reference: 'a\u001b[2J' }),
    400,
    'REFERENCE_INVALID',
  ],
  [
    'a body that is too large',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_992)}`,
    'x'.repeat(20_000),
    413,
    'BODY_TOO_LARGE',
  ],
  [
    'an old id',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW - 86_400_000, 1)}`,
    order(),
    400,
    'ACCESS_ID_STALE',
  ],
  [
    'a position that is none',
    'PUT',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_991)}`,
    order({ of: '../x' }),
    400,
    'ACCESS_INVALID',
  ],
  [
    'another method',
    'DELETE',
    `/v1/accesses/${accessIdAt(VAULT_NOW, 9_990)}`,
    undefined,
    405,
    'METHOD_NOT_ALLOWED',
  ],
  ['another path', 'GET', '/v1/other', undefined, 404, 'PATH_UNKNOWN'],
])('%s is refused without an event', async (_, method, path, body, status, code) => {
  const before = world.log.length;
  const answer = await ask(method, path, body === undefined ? {} : { body });
  expect([answer.status, JSON.parse(answer.text)]).toEqual([
    status,
    expect.objectContaining({ code, status }),
  ]);
  expect(world.log).toHaveLength(before);
});

test('nothing is answered without a token of a principal, and what is no secret is', async () => {
  for (const authorization of [undefined, 'Bearer ', `Bearer ${'x'.repeat(32)}`, 'Basic YTpi']) {
    const response = await fetch(
      `${server.url}/v1/accesses/${newAccess()}`,
      authorization === undefined ? {} : { headers: { authorization } },
    );
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  }
  for (const path of ['/', '/livez', '/readyz', '/metrics'])
    expect((await fetch(`${server.url}${path}`)).status).toBe(200);
});

test('an answer repeats nothing of its request', async () => {
  const canary = 'canary-7f3a';
  for (const body of [
    order({ purpose: canary }),
    order({ [canary]: 1 }),
    order({ reference: `${canary}\u0000` }),
    order({ submission: canary }),
  ]) {
    const { text } = await ask('PUT', `/v1/accesses/${newAccess()}`, { body });
    expect(text).not.toContain(canary);
  }
});

test('no more than four samples are on their way to one principal, nor eight to all', async () => {
  const access = newAccess();
  await ask('PUT', `/v1/accesses/${access}`, { body: order() });
  world.publishes = false;
  const late = newAccess();
  await ask('PUT', `/v1/accesses/${late}`, { body: order() });
  const waiting = Array.from({ length: 4 }, () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `GET /v1/accesses/${late}/sample HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKENS.ana}\r\n\r\n`,
    );
    return socket;
  });
  await expect
    .poll(async () => (await ask('GET', `/v1/accesses/${access}/sample`)).status)
    .toBe(503);
  const other = newAccess();
  expect((await ask('PUT', `/v1/accesses/${other}`, { body: order(), who: 'bob' })).status).toBe(
    201,
  );
  world.published = world.log.length;
  expect((await ask('GET', `/v1/accesses/${other}/sample`, { who: 'bob' })).status).toBe(200);
  for (const socket of waiting) socket.destroy();
  world.publishes = true;
  await expect
    .poll(async () => (await ask('GET', `/v1/accesses/${access}/sample`)).status)
    .toBe(200);
});
