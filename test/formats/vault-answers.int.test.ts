import { createHash } from 'node:crypto';
import { startVaultServer } from '@residency/custodian';
import type { Served } from '@residency/http-server';
import {
  VAULT_NOW,
  VAULT_SUBMISSION,
  VaultWorld,
  accessIdAt,
  vaultStoredEvent,
} from '@residency/testkit';
import { encodeAuditEvent } from '@residency/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, document, validatorOf } from './documents.ts';

const described = document('vault.yaml');
const validator = validatorOf('vault.yaml');
const TOKENS = { ana: 'a'.repeat(32), bob: 'b'.repeat(32), eve: 'e'.repeat(32) };

let server: Served;

beforeAll(async () => {
  const world = await VaultWorld.open();
  for (let nth = 0; nth < 12; nth += 1)
    world.audit[0]?.push(encodeAuditEvent(vaultStoredEvent({ nth })));
  server = await startVaultServer({
    host: '127.0.0.1',
    port: 0,
    operations: {
      live: () => true,
      ready: () => ({ ready: true, checks: [] }),
      metrics: async () => await Promise.resolve({ contentType: 'text/plain', body: '' }),
    },
    folder: {
      tokens: Object.entries(TOKENS).map(([principal, token]) => ({
        principal,
        sha256: createHash('sha256').update(token).digest('hex'),
      })),
    },
    vaults: new Map([
      [
        'zurich',
        await world.vault({
          packer: {
            pack: async (form, sample, sha256) => ({
              bytes: sample,
              contentType: form === 'cart' ? 'application/x-cart' : 'application/octet-stream',
              contentDisposition: `attachment; filename="${sha256}.${form === 'cart' ? 'cart' : 'bin'}"`,
            }),
          },
        }),
      ],
    ]),
    result: () => undefined,
  });
});

afterAll(async () => {
  await server.close();
});

const access = fc.oneof(
  { weight: 8, arbitrary: fc.nat(20).map((nth) => accessIdAt(VAULT_NOW, nth)) },
  { weight: 1, arbitrary: fc.constant(accessIdAt(VAULT_NOW - 86_400_000, 1)) },
  { weight: 1, arbitrary: fc.constantFrom('x', '%00', '%zz', 'a%2Fb') },
);
const order = fc.oneof(
  fc.constant({ submission: VAULT_SUBMISSION, purpose: 'analysis', reference: 'ticket 1' }),
  fc.record(
    {
      submission: fc.constantFrom(VAULT_SUBMISSION, 'f'.repeat(64), 'x'),
      purpose: fc.constantFrom('analysis', 'research', 'nobody', 'other', 7),
      reference: fc.constantFrom('ticket 1', 'ticket 2', '', 'x'.repeat(300), 'a\u0000'),
      form: fc.constantFrom('raw', 'cart', 'zip', 'exe'),
      of: fc.constantFrom('log-1/threat.samples/0/7', 'log-1/threat.samples/0/8', '..'),
      region: fc.constantFrom('zurich', 'moscow'),
      more: fc.constant(1),
    },
    { requiredKeys: ['submission', 'purpose', 'reference'] },
  ),
);
const search = fc
  .record(
    {
      purpose: fc.constantFrom('analysis', 'analysis', 'research', 'nobody', 'other'),
      region: fc.constantFrom('zurich', 'zurich', 'moscow'),
      from: fc.constantFrom('2025-12-31T00:00:00Z', '2026-01-02T00:00:00+01:00', 'yesterday'),
      to: fc.constantFrom('2026-01-02T00:00:00.123Z', '2025-01-01'),
      country: fc.constantFrom('CH', 'CH', 'DE', 'ch'),
      verdict: fc.constantFrom('malicious', 'suspicious', 'clean'),
      sampleSha256: fc.constantFrom('f'.repeat(64), 'x'),
      limit: fc.constantFrom('1', '7', '1000', '1001', '0', '-1', '1e3'),
      after: fc.constantFrom('log-1/residency.audit/0/3', 'log-2/residency.audit/0/3', '..', ''),
      more: fc.constant('1'),
    },
    { requiredKeys: ['purpose'] },
  )
  .map((parameters) => new URLSearchParams(parameters).toString());
const request = fc.record({
  access,
  who: fc.constantFrom<(keyof typeof TOKENS | 'nobody')[]>('ana', 'ana', 'bob', 'eve', 'nobody'),
  asked: fc.oneof(
    fc.record({
      method: fc.constant('PUT'),
      route: fc.constant('/v1/accesses/{access}'),
      body: fc.oneof(
        { weight: 9, arbitrary: order.map((value) => JSON.stringify(value)) },
        { weight: 1, arbitrary: fc.constantFrom('', '{', 'null', 'x'.repeat(20_000)) },
      ),
    }),
    fc.record({ method: fc.constant('GET'), route: fc.constant('/v1/accesses/{access}') }),
    fc.record({
      method: fc.constant('POST'),
      route: fc.constant('/v1/accesses/{access}/approvals'),
    }),
    fc.record({ method: fc.constant('GET'), route: fc.constant('/v1/accesses/{access}/sample') }),
    fc.record({
      method: fc.constant('GET'),
      route: fc.constant('/v1/samples'),
      query: fc.oneof(
        fc.constantFrom('', 'purpose=analysis', 'purpose=analysis&purpose=analysis'),
        search,
      ),
    }),
  ),
});
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

const seen = new Map<string, Set<number>>();

async function judge({ access: id, who, asked }: Request): Promise<void> {
  const token = who === 'nobody' ? 'n'.repeat(32) : TOKENS[who];
  const query = 'query' in asked ? `?${asked.query}` : '';
  const response = await fetch(`${server.url}${asked.route.replace('{access}', id)}${query}`, {
    method: asked.method,
    headers: { authorization: `Bearer ${token}` },
    ...('body' in asked ? { body: asked.body } : {}),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const { status } = response;
  const operation = `#/paths/${pointed(asked.route)}/${asked.method.toLowerCase()}/responses/${status}`;
  const listed = at(described, operation) as { readonly $ref?: string } | undefined;
  expect([asked, status, listed === undefined ? bytes.toString() : '']).toEqual([
    asked,
    status,
    '',
  ]);
  seen.set(asked.route, (seen.get(asked.route) ?? new Set()).add(status));
  const pointer = listed?.$ref ?? operation;
  for (const name of Object.keys(
    (at(described, `${pointer}/headers`) as object | undefined) ?? {},
  )) {
    const header = at(described, `${pointer}/headers/${name}/$ref`) as string;
    const value = response.headers.get(name);
    expect([name, value, allowed(`${header}/schema`, value)]).toEqual([name, value, null]);
  }
  const type = response.headers.get('content-type')?.split(';', 1)[0] ?? '';
  expect(Object.keys(at(described, `${pointer}/content`) as object)).toContain(type);
  if (!type.endsWith('json')) return;
  const value: unknown = JSON.parse(bytes.toString());
  expect([value, allowed(`${pointer}/content/${pointed(type)}/schema`, value)]).toEqual([
    value,
    null,
  ]);
  if (type === 'application/problem+json') expect(value).toMatchObject({ status });
}

const pointed = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');

/** `null`, or the validator's errors. */
function allowed(pointer: string, value: unknown): unknown {
  const uri = pointer.split('/').map(encodeURIComponent).join('/').replace('%23', '#');
  const validate = validator.getSchema(`vault.yaml${uri}`);
  if (validate === undefined) return `no schema at ${pointer}`;
  return validate(value) === true ? null : validate.errors;
}

test('every answer of a vault is one that vault.yaml lists', async () => {
  await fc.assert(fc.asyncProperty(request, judge), { numRuns: 600 });
  for (const [route, status] of [
    ['/v1/accesses/{access}', 201],
    ['/v1/accesses/{access}/sample', 200],
    ['/v1/accesses/{access}', 403],
    ['/v1/accesses/{access}/sample', 404],
    ['/v1/samples', 200],
    ['/v1/samples', 400],
    ['/v1/samples', 403],
  ] as const)
    expect([...(seen.get(route) ?? [])]).toContain(status);
});
