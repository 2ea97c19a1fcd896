import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { encodeAuditEvent } from '@residency/contracts';
import { createMetrics } from '@residency/telemetry';
import type { AccessResult } from '@residency/telemetry';
import {
  RawConnection,
  VAULT_NOW,
  VAULT_PURPOSES,
  VAULT_SAMPLE,
  VAULT_SUBMISSION,
  VaultWorld,
  accessIdAt,
  vaultStoredEvent,
} from '@residency/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startVaultServer } from '../src/vault/start-vault-server.ts';
import type { Served, ServerSettings } from '@residency/http-server';
import { parsePurposes } from '@residency/vault';
import type { Packer, Vault } from '@residency/vault';

const TOKENS = { ana: 'a'.repeat(32), bob: 'b'.repeat(32), eve: 'e'.repeat(32) };

let world: VaultWorld;
let server: Served;
const results: AccessResult[] = [];
let nth = 0;
/** Packing ends once this resolved. */
let packing = Promise.resolve();
let inPacker = 0;
/** Requests between two looks at the ledger. */
let waitingNow = 0;

beforeAll(async () => {
  world = await VaultWorld.open();
  server = await served(await world.vault({ packer, purposes: PURPOSES, pause }));
});

async function served(vault: Vault, settings: ServerSettings = {}): Promise<Served> {
  return await startVaultServer({
    ...settings,
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
    vaults: new Map([['zurich', vault]]),
    result: (_, result) => {
      results.push(result);
    },
  });
}

async function pause(): Promise<void> {
  waitingNow += 1;
  await setTimeout(10);
  waitingNow -= 1;
}

/** The world's, and a third principal. */
const PURPOSES = parsePurposes(
  JSON.stringify({
    purposes: VAULT_PURPOSES.purposes.map((purpose) =>
      purpose.id === 'analysis' ? { ...purpose, principals: ['ana', 'bob', 'eve'] } : purpose,
    ),
  }),
);

const packer: Packer = {
  pack: async (form, sample) => {
    inPacker += 1;
    await packing;
    return {
      bytes: sample,
      contentType: form,
      contentDisposition: 'attachment; filename="sample.cart"',
    };
  },
};

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
  {
    body,
    who = 'ana',
    signal,
  }: { body?: unknown; who?: keyof typeof TOKENS; signal?: AbortSignal } = {},
) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKENS[who]}` },
    ...(signal === undefined ? {} : { signal }),
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

test('a search answers with samples and a cursor, without their owner, and writes no event', async () => {
  const audit = world.audit[0] ?? [];
  audit.push(encodeAuditEvent(vaultStoredEvent()), encodeAuditEvent(vaultStoredEvent({ nth: 8 })));
  const before = world.log.length;
  const first = await ask('GET', '/v1/samples?purpose=analysis&limit=1&region=zurich');
  expect([first.status, JSON.parse(first.text)]).toEqual([
    200,
    {
      samples: [
        {
          submission: VAULT_SUBMISSION,
          region: 'zurich',
          position: 'log-1/threat.samples/0/7',
          at: '2025-12-31T23:59:59.500Z',
          country: 'CH',
          verdict: 'malicious',
          bytes: VAULT_SAMPLE.length,
          sampleSha256: createHash('sha256').update(VAULT_SAMPLE).digest('hex'),
          erased: false,
        },
      ],
      next: 'log-1/residency.audit/0/0',
    },
  ]);
  expect(first.text).not.toContain('consent');
  expect(first.headers.get('cache-control')).toBe('no-store');
  const rest = await ask(
    'GET',
    '/v1/samples?purpose=analysis&verdict=malicious&country=CH&from=2025-12-31T00:00:00Z&to=2026-01-01T01:00:00%2B01:00&after=log-1/residency.audit/0/0',
  );
  expect(JSON.parse(rest.text)).toMatchObject({
    samples: [{ position: 'log-1/threat.samples/0/8' }],
  });
  expect(results).toContain('searched');
  expect(world.log).toHaveLength(before);
});

test.each([
  ['no purpose', '', 400, 'SEARCH_INVALID'],
  ['an unknown purpose', 'purpose=canary-7f3a', 403, 'PURPOSE_UNKNOWN'],
  ['a purpose of others', 'purpose=nobody', 403, 'PURPOSE_NOT_ALLOWED'],
  ['a purpose without searches', 'purpose=research', 403, 'SEARCH_NOT_ALLOWED'],
  ['a parameter twice', 'purpose=analysis&purpose=analysis', 400, 'SEARCH_INVALID'],
  ['another parameter', 'purpose=analysis&canary-7f3a=1', 400, 'SEARCH_INVALID'],
  ['a limit of 0', 'purpose=analysis&limit=0', 400, 'SEARCH_INVALID'],
  ['a limit of a million', 'purpose=analysis&limit=1000000', 400, 'SEARCH_INVALID'],
  ['a limit that is no number', 'purpose=analysis&limit=1e2', 400, 'SEARCH_INVALID'],
  ['an instant without a zone', 'purpose=analysis&from=2026-01-01T00:00:00', 400, 'SEARCH_INVALID'],
  ['a country in lower case', 'purpose=analysis&country=ch', 400, 'SEARCH_INVALID'],
  ['an unknown verdict', 'purpose=analysis&verdict=canary-7f3a', 400, 'SEARCH_INVALID'],
  ['a digest that is none', 'purpose=analysis&sampleSha256=canary-7f3a', 400, 'SEARCH_INVALID'],
  [
    'the cursor of another log',
    'purpose=analysis&after=canary-7f3a/residency.audit/0/1',
    400,
    'CURSOR_INVALID',
  ],
  ['another region', 'purpose=analysis&region=canary-7f3a', 404, 'REGION_UNKNOWN'],
])(
  'a search with %s is refused, and its answer repeats nothing',
  async (_, search, status, code) => {
    const answer = await ask('GET', `/v1/samples?${search}`);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      status,
      expect.objectContaining({ code }),
    ]);
    expect(answer.text).not.toContain('canary-7f3a');
  },
);

test('a search needs a token of a principal, and a HEAD is none', async () => {
  const path = `${server.url}/v1/samples?purpose=analysis`;
  expect((await fetch(path)).status).toBe(401);
  const headers = { authorization: `Bearer ${'x'.repeat(32)}` };
  expect((await fetch(path, { headers })).status).toBe(401);
  expect((await ask('HEAD', '/v1/samples?purpose=analysis')).status).toBe(405);
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

/** Asks for a sample, and can go before the answer. */
function leavable(access: string, who: keyof typeof TOKENS): RawConnection {
  return new RawConnection(
    Number(new URL(server.url).port),
    `GET /v1/accesses/${access}/sample HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKENS[who]}\r\n\r\n`,
  );
}

async function accessFor(who: keyof typeof TOKENS): Promise<string> {
  const access = newAccess();
  const { status } = await ask('PUT', `/v1/accesses/${access}`, { body: order(), who });
  expect(status).toBe(201);
  return access;
}

/** 200, the problem's code, or `waits`: no answer within the time. */
async function sampleFor(who: keyof typeof TOKENS, access: string, within = 10_000) {
  try {
    const signal = AbortSignal.timeout(within);
    const { status, text } = await ask('GET', `/v1/accesses/${access}/sample`, { who, signal });
    return status === 200 ? 200 : (JSON.parse(text) as { readonly code: string }).code;
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return 'waits';
    throw error;
  }
}

async function eventually(read: () => Promise<unknown>, expected: unknown): Promise<void> {
  await expect.poll(read, { timeout: 10_000 }).toEqual(expected);
}

test('no more than four samples are packed for one principal, nor eight for all, whoever goes meanwhile', async () => {
  const access = { ana: await accessFor('ana'), bob: await accessFor('bob') };
  const eve = await accessFor('eve');
  const packed = Promise.withResolvers<void>();
  packing = packed.promise;
  inPacker = 0;
  const clients = Array.from({ length: 4 }, () => leavable(access.ana, 'ana'));
  await eventually(async () => inPacker, 4);
  expect(await sampleFor('ana', access.ana)).toBe('BUSY');
  const others = Array.from({ length: 4 }, () => sampleFor('bob', access.bob));
  await eventually(async () => inPacker, 8);
  expect(await sampleFor('eve', eve)).toBe('BUSY');
  // Their samples are in memory still, so their places are taken.
  for (const { socket } of clients) socket.destroy();
  await setTimeout(100);
  expect(await sampleFor('eve', eve)).toBe('BUSY');
  expect(inPacker).toBe(8);
  packed.resolve();
  expect(await Promise.all(others)).toEqual([200, 200, 200, 200]);
  for (let time = 0; time < 3; time += 1)
    await eventually(
      () => Promise.all([1, 2, 3, 4].map(() => sampleFor('ana', access.ana))),
      [200, 200, 200, 200],
    );
});

test('no more than sixty-four wait for the checkpoint for one principal, and whoever goes leaves the place', async () => {
  world.publishes = false;
  const late = { ana: await accessFor('ana'), bob: await accessFor('bob') };
  for (let time = 0; time < 3; time += 1) {
    const clients = Array.from({ length: 64 }, () => leavable(late.ana, 'ana'));
    await eventually(async () => waitingNow, 64);
    expect(await sampleFor('ana', late.ana)).toBe('BUSY');
    expect(await sampleFor('bob', late.bob, 500)).toBe('waits');
    for (const { socket } of clients) socket.destroy();
    await eventually(async () => waitingNow, 0);
  }
  world.publishes = true;
  await eventually(() => sampleFor('ana', late.ana), 200);
  expect(await sampleFor('bob', late.bob)).toBe(200);
});

test.each([
  ['a clock that is past it when the client reads on', 600_000, false, 64],
  ['a client that reads nothing more', 300, true, 64],
  ['a client that left all of it to the system', 1_000, true, 1],
])('a sample that is on its way ends with its access: %s', async (_, lives, waits, mebibytes) => {
  const other = await VaultWorld.open();
  const large = Buffer.alloc(mebibytes * 1024 * 1024);
  const slow = await served(
    await other.vault({
      packer: { pack: async (...args) => ({ ...(await packer.pack(...args)), bytes: large }) },
    }),
  );
  onTestFinished(() => slow.close());
  const access = newAccess();
  const at = `/v1/accesses/${access}`;
  const headers = { authorization: `Bearer ${TOKENS.ana}` };
  const put = await fetch(slow.url + at, {
    method: 'PUT',
    headers,
    body: JSON.stringify(order()),
  });
  const { until } = (await put.json()) as { readonly until: string };
  other.now = Date.parse(until) - lives;
  const client = new RawConnection(
    Number(new URL(slow.url).port),
    `GET ${at}/sample HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKENS.ana}\r\n\r\n`,
  );
  await once(client.socket, 'data');
  client.socket.pause();
  if (waits) await setTimeout(2_000);
  else other.now = Date.parse(until);
  client.socket.resume();
  await client.closed;
  expect(client.received).toMatch(/^HTTP\/1.1 200 /);
  expect(client.received.length).toBeLessThan(large.length);
});

test('a connection goes on after a sample that the client has read, and an idle one is ended', async () => {
  const other = await VaultWorld.open();
  const lasting = await served(await other.vault({ packer }), { timeouts: { keepAlive: 100 } });
  onTestFinished(() => lasting.close());
  const headers = { authorization: `Bearer ${TOKENS.ana}` };
  const access = newAccess();
  const at = `/v1/accesses/${access}`;
  const put = await fetch(lasting.url + at, {
    method: 'PUT',
    headers,
    body: JSON.stringify(order()),
  });
  const { until } = (await put.json()) as { readonly until: string };
  other.now = Date.parse(until) - 1_500;
  const get = `GET ${at}/sample HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKENS.ana}\r\n\r\n`;
  const client = new RawConnection(Number(new URL(lasting.url).port), get);
  const answers = () => client.received.split('HTTP/1.1 200 ').length - 1;
  await expect.poll(answers).toBe(1);
  // Longer than an idle connection lives: this one may still have to send.
  await setTimeout(500);
  client.socket.write(get);
  await expect.poll(answers).toBe(2);
  await client.closed;
});

test('a sample is not asked for behind another answer on one connection', async () => {
  const access = await accessFor('ana');
  const get = `GET /v1/accesses/${access}/sample HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKENS.ana}\r\n\r\n`;
  const client = new RawConnection(Number(new URL(server.url).port), get + get);
  await expect.poll(() => client.received).toMatch(/^HTTP\/1.1 200 [^]*HTTP\/1.1 400 /);
  client.socket.destroy();
});

test('whoever opens connections ends no request that waits for its sample', async () => {
  const other = await VaultWorld.open();
  other.publishes = false;
  const small = await served(await other.vault(), { maxConnections: 2 });
  onTestFinished(() => small.close());
  const access = newAccess();
  const at = `${small.url}/v1/accesses/${access}`;
  const headers = { authorization: `Bearer ${TOKENS.ana}` };
  await fetch(at, { method: 'PUT', headers, body: JSON.stringify(order()) });
  const waits = fetch(`${at}/sample`, { headers });
  await setTimeout(100);
  // The one that is left is for short requests.
  const second = await fetch(`${at}/sample`, { headers, signal: AbortSignal.timeout(5_000) });
  expect([second.status, await second.json()]).toEqual([
    503,
    expect.objectContaining({ code: 'BUSY' }),
  ]);
  for (let nth = 0; nth < 8; nth += 1) {
    const { socket } = new RawConnection(Number(new URL(small.url).port), '');
    await once(socket, 'connect');
  }
  other.publishes = true;
  expect((await waits).status).toBe(200);
});
